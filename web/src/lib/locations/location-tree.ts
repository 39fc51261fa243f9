import type { Location, LocationType } from '@edgeconductor/sdk';

/** The tree site → building → floor → room. Levels may be left out, never turned around. */

export const LOCATION_TYPES: readonly LocationType[] = ['site', 'building', 'floor', 'room'];
export const LOCATION_WORDS: Record<LocationType, string> = {
  site: 'Site',
  building: 'Building',
  floor: 'Floor',
  room: 'Room',
};

export interface LocationNode {
  location: Location;
  /** Sites first, then by name the way people count: floor 2 before floor 10. */
  children: LocationNode[];
  /** Rooms at and below it. */
  rooms: number;
}

const rank = (type: LocationType): number => LOCATION_TYPES.indexOf(type);
const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

export function toTree(locations: readonly Location[]): LocationNode[] {
  const nodes = new Map<string, LocationNode>(
    locations.map((location) => [location.id, { location, children: [], rooms: 0 }]),
  );
  const roots: LocationNode[] = [];
  for (const node of nodes.values()) {
    const parent = node.location.parent_id === null ? undefined : nodes.get(node.location.parent_id);
    (parent?.children ?? roots).push(node);
  }
  return finish(roots);
}

function finish(nodes: LocationNode[]): LocationNode[] {
  for (const node of nodes) {
    finish(node.children);
    const own = node.location.type === 'room' ? 1 : 0;
    node.rooms = node.children.reduce((sum, child) => sum + child.rooms, own);
  }
  return nodes.sort(
    (a, b) =>
      rank(a.location.type) - rank(b.location.type) || natural.compare(a.location.name, b.location.name),
  );
}

/** What may be made inside a place of this type; null = at the top. */
export function typesInside(type: LocationType | null): readonly LocationType[] {
  return type === null ? LOCATION_TYPES : LOCATION_TYPES.slice(rank(type) + 1);
}

/** Names from the top down to the place itself. */
export function pathOf(locations: readonly Location[], id: string): string[] {
  const byId = new Map(locations.map((location) => [location.id, location]));
  const names: string[] = [];
  // The tree has no cycles; the bound is for data that lies.
  for (let at = byId.get(id); at && names.length < 8; at = byId.get(at.parent_id ?? ''))
    names.unshift(at.name);
  return names;
}

/** Where a place may be moved: what stands above its type, itself and everything in it excluded. */
export function parentsFor(locations: readonly Location[], location: Location): Location[] {
  return locations.filter(
    (candidate) => candidate.id !== location.id && rank(candidate.type) < rank(location.type),
  );
}

/** The zone that counts at a place: its own, else the nearest one above, else the org's. */
export function zoneOf(
  locations: readonly Location[],
  id: string | null,
  orgZone: string,
): { zone: string; from: string | null } {
  const byId = new Map(locations.map((location) => [location.id, location]));
  for (let at = byId.get(id ?? ''), depth = 0; at && depth < 8; at = byId.get(at.parent_id ?? ''), depth++) {
    if (at.timezone) return { zone: at.timezone, from: at.name };
  }
  return { zone: orgZone, from: null };
}
