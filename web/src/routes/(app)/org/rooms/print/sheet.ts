import type { Location } from '@edgeconductor/sdk';
import { pathOf } from '#lib/locations/location-tree.ts';

export type SheetSize = 'door' | 'small';

export const MOST_SHEETS = 200;

export const SIZES: { value: SheetSize; label: string }[] = [
  { value: 'door', label: 'Door sign, 85 × 120 mm (four on A4)' },
  { value: 'small', label: 'Sticker, 85 × 45 mm (ten on A4)' },
];

export interface RoomGroup {
  /** Where these rooms lie; '' at the top of the tree. */
  place: string;
  rooms: Location[];
}

const natural = new Intl.Collator('en', { numeric: true });

/** Rooms by the place they lie in, both sorted the way people count. */
export function roomGroups(locations: readonly Location[]): RoomGroup[] {
  const groups = new Map<string, Location[]>();
  for (const room of locations.filter(({ type }) => type === 'room')) {
    const place = pathOf(locations, room.id).slice(0, -1).join(' / ');
    groups.set(place, [...(groups.get(place) ?? []), room]);
  }
  return [...groups]
    .map(([place, rooms]) => ({ place, rooms: rooms.sort((a, b) => natural.compare(a.name, b.name)) }))
    .sort((a, b) => natural.compare(a.place, b.place));
}
