import type { Location } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { roomGroups } from './sheet.ts';

const at = (id: string, type: Location['type'], parent_id: string | null): Location => ({
  id,
  org_id: 'o',
  type,
  parent_id,
  name: id,
  timezone: null,
  created_at: '',
});

describe('rooms to choose labels for', () => {
  it('stand under their place, sorted the way people count', () => {
    const groups = roomGroups([
      at('Hall', 'building', null),
      at('Room 10', 'room', 'Hall'),
      at('Room 9', 'room', 'Hall'),
      at('Shed', 'room', null),
    ]);
    expect(groups.map(({ place, rooms }) => [place, rooms.map(({ name }) => name)])).toEqual([
      ['', ['Shed']],
      ['Hall', ['Room 9', 'Room 10']],
    ]);
  });
});
