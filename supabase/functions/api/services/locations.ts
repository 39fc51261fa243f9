/** The location tree, and rooms as people know them: with the floor and building they lie in. */
import type { Location, LocationCreate, LocationPatch, Room, RoomCreate } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { missing } from './devices.ts';
import { requireOrg } from './rights.ts';

type Fragment = ReturnType<Db>;

const selectLocations = (db: Db): Fragment => db`
  select l.id, l.org_id, l.parent_id, l.type, l.name, l.timezone, l.created_at from public.locations l`;

const selectRooms = (db: Db): Fragment => db`
  select l.id, l.org_id, l.parent_id, l.name, f.name as floor, coalesce(b.name, bp.name) as building,
    l.timezone, l.created_at
  from public.locations l
  left join public.locations f on f.id = l.parent_id and f.type = 'floor'
  left join public.locations b on b.id = f.parent_id and b.type = 'building'
  left join public.locations bp on bp.id = l.parent_id and bp.type = 'building'`;

/** The whole tree, parents before children; an org has hundreds of places, not millions. */
export async function listLocations(db: Db, orgId: string): Promise<Location[]> {
  await requireOrg(db, orgId, 'read');
  return db<Location[]>`
    ${selectLocations(db)} where l.org_id = ${orgId}
    order by array_position(array['site', 'building', 'floor', 'room'], l.type), lower(l.name), l.id`;
}

export async function createLocation(db: Db, orgId: string, input: LocationCreate): Promise<Location> {
  const [row] = await db<{ id: string }[]>`
    select ec.create_location(${orgId}, ${JSON.stringify(input)}::text::jsonb) ->> 'id' as id`;
  return readLocation(db, (row as { id: string }).id);
}

export async function patchLocation(db: Db, id: string, patch: LocationPatch): Promise<Location> {
  await db`select ec.update_location(${id}, ${JSON.stringify(patch)}::text::jsonb)`;
  return readLocation(db, id);
}

export async function removeLocation(db: Db, id: string): Promise<void> {
  await db`select ec.delete_location(${id})`;
}

export async function listRooms(db: Db, orgId: string): Promise<Room[]> {
  await requireOrg(db, orgId, 'read');
  return db<Room[]>`
    ${selectRooms(db)} where l.org_id = ${orgId} and l.type = 'room'
    order by building nulls first, floor nulls first, lower(l.name), l.id`;
}

export async function createRoom(db: Db, orgId: string, input: RoomCreate): Promise<Room> {
  const [row] = await db<{ id: string }[]>`
    select ec.create_room(${orgId}, ${JSON.stringify(input)}::text::jsonb) ->> 'id' as id`;
  const [room] = await db<Room[]>`${selectRooms(db)} where l.id = ${(row as { id: string }).id}`;
  if (room === undefined) throw missing();
  return room;
}

async function readLocation(db: Db, id: string): Promise<Location> {
  const [location] = await db<Location[]>`${selectLocations(db)} where l.id = ${id}`;
  if (location === undefined) throw missing();
  return location;
}
