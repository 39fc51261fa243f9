import { describe, expect, it } from 'vitest';
import { filterPath, filterToSave, isShown } from './saved-filters.ts';

const ROOM = '0192f0c1-0000-7000-8000-000000000001';
const params = (search: string) => new URLSearchParams(search);

describe('a saved filter', () => {
  it('is what the address asks for, without order, page and nonsense', () => {
    expect(
      filterToSave(params(`q=lab&room_id=${ROOM}&fw_version=1.0.0&sort=name&after=x&status=dancing`)),
    ).toEqual({
      q: 'lab',
      room_id: ROOM,
      fw_version: '1.0.0',
    });
    expect(filterToSave(params('sort=name'))).toBeNull();
  });

  it('leads back to the same table', () => {
    const filter = { tag: 'pilot', status: 'online' as const, room_id: ROOM };
    expect(filterToSave(params(filterPath(filter).split('?')[1]!))).toEqual(filter);
    expect(filterPath({ location_id: ROOM })).toBe(`/org/devices?room_id=${ROOM}`);
  });

  it('knows when it is on the screen', () => {
    expect(isShown({ tag: 'pilot' }, params('tag=pilot&sort=name'))).toBe(true);
    expect(isShown({ tag: 'pilot' }, params('tag=pilot&q=lab'))).toBe(false);
  });
});
