import { describe, expect, it } from 'vitest';
import { atCursor, nextSort, readFilters, readQuery, withFilters } from './filters.ts';

const params = new URLSearchParams('status=offline&q=lab&after=abc&sort=-last_seen&utm=x');

describe('filters of the devices table in the URL', () => {
  it('reads the known ones and nothing else', () => {
    expect(readFilters(params)).toEqual({ status: 'offline', q: 'lab' });
    expect(readFilters(new URLSearchParams('q=%20&tag='))).toEqual({});
  });

  it('starts at the first page when a filter changes, and keeps the order', () => {
    expect(withFilters(params, { status: null })).toBe('/org/devices?q=lab&sort=-last_seen');
    expect(withFilters(params, { room_id: 'r1' })).toBe(
      '/org/devices?q=lab&status=offline&room_id=r1&sort=-last_seen',
    );
    expect(withFilters(new URLSearchParams(), {})).toBe('/org/devices');
  });

  it('pages without losing the filters', () => {
    expect(atCursor(params, { after: 'd=f' })).toBe(
      '/org/devices?q=lab&status=offline&sort=-last_seen&after=d%3Df',
    );
    expect(atCursor(params, {})).toBe('/org/devices?q=lab&status=offline&sort=-last_seen');
    expect(atCursor(new URLSearchParams(), { before: 'x' })).toBe('/org/devices?before=x');
  });

  it('asks the API only for what it offers', () => {
    expect(readQuery(params)).toMatchObject({
      status: 'offline',
      q: 'lab',
      sort: '-last_seen',
      after: 'abc',
    });
    expect(readQuery(new URLSearchParams('fw_version=1.2.0'))).toMatchObject({ fwVersion: '1.2.0' });
    const odd = readQuery(new URLSearchParams('status=on%20fire&sort=--name&room_id=1'));
    expect(odd).toMatchObject({ status: undefined, sort: undefined, roomId: undefined });
  });

  it('turns a column from ascending to descending to the natural order', () => {
    expect(nextSort(null, 'name')).toBe('name');
    expect(nextSort('name', 'name')).toBe('-name');
    expect(nextSort('-name', 'name')).toBeNull();
    expect(nextSort('-name', 'serial')).toBe('serial');
  });
});
