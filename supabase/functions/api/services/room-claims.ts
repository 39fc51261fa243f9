/** Room codes: made and derived in the database, shown to who may hand out access, tried by who scans a sheet. */
import type {
  RoomClaimed,
  RoomClaimPreview,
  RoomClaimRequest,
  RoomCode,
  RoomCodeRotate,
  RoomSheet,
  RoomTenant,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import type { Env } from '../../_shared/env.ts';
import { missing } from './devices.ts';
import { roomClaimUrl } from './links.ts';
import { requireOrg } from './rights.ts';
import { isoTimes } from './times.ts';

type StoredCode = Omit<RoomCode, 'claim_url'>;

export async function previewRoom(db: Db, { room_id, code }: RoomClaimRequest): Promise<RoomClaimPreview> {
  const [row] = await db<{ preview: RoomClaimPreview }[]>`
    select ec.preview_room(${room_id}, ${code}) as preview`;
  return (row as { preview: RoomClaimPreview }).preview;
}

/** A tenant's own second claim is the same answer with `repeated`. */
export async function claimRoom(
  db: Db,
  { room_id, code }: RoomClaimRequest,
): Promise<{ repeated: boolean; claimed: RoomClaimed }> {
  type Result = { membership: RoomClaimed['membership']; repeated: boolean };
  const [row] = await db<{ result: Result }[]>`select ec.claim_room(${room_id}, ${code}) as result`;
  const { membership, repeated } = (row as { result: Result }).result;
  return { repeated, claimed: { membership, home: '/portal/room' } };
}

export async function readRoomCode(db: Db, env: Env, roomId: string): Promise<RoomCode> {
  const [row] = await db<{ stored: StoredCode }[]>`select ec.room_code(${roomId}) as stored`;
  return toRoomCode(env, (row as { stored: StoredCode }).stored);
}

export async function rotateRoomCode(
  db: Db,
  env: Env,
  roomId: string,
  { expires_at, end_tenants }: RoomCodeRotate,
): Promise<RoomCode> {
  const [row] = await db<{ stored: StoredCode }[]>`
    select ec.rotate_room_code(${roomId}, ${expires_at ?? null}::timestamptz, ${end_tenants}) as stored`;
  return toRoomCode(env, (row as { stored: StoredCode }).stored);
}

export async function revokeRoomCode(db: Db, roomId: string, endTenants: boolean): Promise<void> {
  await db`select ec.revoke_room_code(${roomId}, ${endTenants})`;
}

/** For printing; rooms without a code get one. */
export async function listRoomSheets(
  db: Db,
  env: Env,
  orgId: string,
  roomIds: string[],
): Promise<RoomSheet[]> {
  type Sheet = { room_id: string; name: string; path: string | null; code: string };
  const [row] = await db<{ sheets: Sheet[] }[]>`
    select ec.list_room_codes(${orgId}, ${roomIds}::uuid[]) as sheets`;
  return (row as { sheets: Sheet[] }).sheets.map(({ room_id, name, path, code }) => ({
    room_id,
    name,
    path,
    code,
    claim_url: roomClaimUrl(env, room_id, code),
  }));
}

/** For a repeated Idempotency-Key. */
export function withoutRoomCode<T extends { code: string | null; claim_url: string | null }>(reply: T): T {
  return { ...reply, code: null, claim_url: null };
}

/** Who lives there now, the longest first. */
export async function listRoomTenants(db: Db, roomId: string): Promise<RoomTenant[]> {
  const [room] = await db<{ org_id: string }[]>`
    select l.org_id from public.locations l where l.id = ${roomId} and l.type = 'room'`;
  if (room === undefined) throw missing();
  await requireOrg(db, room.org_id, 'read');
  return db<RoomTenant[]>`
    select m.id, m.user_id, p.email, p.full_name, m.created_at
    from public.memberships m join public.profiles p on p.id = m.user_id
    where m.org_id = ${room.org_id} and m.location_id = ${roomId} and m.role = 'tenant' and m.ended_at is null
    order by m.created_at, m.id`;
}

function toRoomCode(env: Env, stored: StoredCode): RoomCode {
  const { room_id, code, created_at, expires_at, version } = isoTimes(stored);
  const claim_url = code === null ? null : roomClaimUrl(env, room_id, code);
  return { room_id, code, claim_url, created_at, expires_at, version };
}
