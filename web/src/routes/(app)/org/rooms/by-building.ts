import type { OrgOverview } from '@edgeconductor/sdk';

type Room = OrgOverview['rooms'][number];

const ELSEWHERE = 'Elsewhere';
const natural = new Intl.Collator('en', { numeric: true });

/** Rooms under the first part of their path ("Building A · 2nd floor"); those without a path come last. */
export function byBuilding(rooms: readonly Room[]): { name: string; rooms: Room[] }[] {
  const groups = new Map<string, Room[]>();
  for (const room of rooms) {
    const first = room.path?.split(' · ')[0] ?? ELSEWHERE;
    // A path that is nothing but the room itself names no building.
    const name = first === room.name ? ELSEWHERE : first;
    groups.set(name, [...(groups.get(name) ?? []), room]);
  }
  return [...groups]
    .map(([name, members]) => ({ name, rooms: members.sort((a, b) => natural.compare(a.name, b.name)) }))
    .sort(
      (a, b) =>
        Number(a.name === ELSEWHERE) - Number(b.name === ELSEWHERE) || natural.compare(a.name, b.name),
    );
}
