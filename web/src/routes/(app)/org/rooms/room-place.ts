import type { OrgOverview } from '@edgeconductor/sdk';

type Room = Pick<OrgOverview['rooms'][number], 'name' | 'path'>;

const SEPARATOR = ' · ';

/** Where a room stands: its path without its own name, outermost first. Empty when nobody said. */
export function placeOf({ name, path }: Room): string[] {
  const parts = path?.split(SEPARATOR) ?? [];
  return parts.at(-1) === name ? parts.slice(0, -1) : parts;
}

/** The nearest two levels: enough to find the door, short enough for a card. */
export function shortPlace(room: Room): string | null {
  return placeOf(room).slice(-2).join(SEPARATOR) || null;
}

const natural = new Intl.Collator('en', { numeric: true });

/**
 * Rooms by the place they stand in. What all places share (the only site) is not repeated in every heading; rooms
 * without a place come last, under ''.
 */
export function byPlace<T extends Room>(rooms: readonly T[]): { place: string; rooms: T[] }[] {
  const places = rooms.map(placeOf);
  const shared = sharedDepth(places.filter((place) => place.length > 0));
  const groups = new Map<string, T[]>();
  for (const [i, room] of rooms.entries()) {
    const place = places[i] ?? [];
    const key = (place.slice(shared).length > 0 ? place.slice(shared) : place).join(SEPARATOR);
    groups.set(key, [...(groups.get(key) ?? []), room]);
  }
  return [...groups]
    .map(([place, members]) => ({ place, rooms: members.sort((a, b) => natural.compare(a.name, b.name)) }))
    .sort((a, b) => Number(a.place === '') - Number(b.place === '') || natural.compare(a.place, b.place));
}

function sharedDepth(places: readonly string[][]): number {
  const [first, ...rest] = places;
  if (!first || rest.length === 0) return 0;
  let depth = 0;
  while (depth < first.length && rest.every((place) => place[depth] === first[depth])) depth++;
  return depth;
}
