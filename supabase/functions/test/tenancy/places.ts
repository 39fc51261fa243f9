/** Foreign places with one of everything that an id can name, and places that are nowhere. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Actor } from '../../../tests/harness/database.ts';
import { register } from '../../../tests/harness/register.ts';
import type { Org } from '../../../tests/harness/world.ts';
import { giveToCustomer, makeMember } from '../../../tests/harness/world.ts';
import type { TestApi } from '../api.ts';

export const NAMES = [
  ...(['org', 'partner', 'building', 'room', 'emptyRoom', 'serial', 'spare', 'type', 'command'] as const),
  ...(['credential', 'member', 'invitation', 'apiKey', 'provisioningKey', 'notification'] as const),
  ...(['firmware', 'job', 'filter'] as const),
] as const;
type Name = (typeof NAMES)[number];
/** What a placeholder of each name becomes. */
export type Ids = Record<Name, string>;

/** As real ids look, but of nothing. */
export function nowhere(): Ids {
  const names = NAMES.map((name): [Name, string] => [name, randomUUID()]);
  const serial = (): string => `none-${randomBytes(4).toString('hex')}`;
  return { ...(Object.fromEntries(names) as Ids), serial: serial(), spare: serial(), type: 'type-nowhere' };
}

/** An org of others, by the world's own people of that org. */
export async function foreignPlace(api: TestApi, org: Org, partner: string): Promise<Ids> {
  const { db } = api;
  const admin = await makeMember(db, 'theirs', 'org_admin', { org: org.id });
  const tenant = await makeMember(db, 'their-tenant', 'tenant', { org: org.id, location: org.room });
  const insert = (sql: string, values: unknown[]): Promise<string> => db.value(`${sql} returning id`, values);
  const hash = randomBytes(32);
  const type = `type-${org.num}`;
  await db.query(`insert into public.product_types (key, name, maker_org_id) values ($1, 'Theirs', $2)`, [
    type,
    org.id,
  ]);
  return {
    org: org.id,
    partner,
    building: org.building,
    room: org.room,
    ...(await fresh(api, org, admin)),
    serial: org.device.serial,
    type,
    command: await db.as(admin, (session) =>
      session.value(`select ec.send_command($1, 'beep') ->> 'id'`, [org.device.serial]),
    ),
    credential: await db.value('select id from public.device_credentials where device_id = $1 limit 1', [
      org.device.id,
    ]),
    member: await db.value('select id from public.memberships where user_id = $1', [tenant.user]),
    invitation: await insert(
      `insert into public.invitations (org_id, role, email, token_sha256) values ($1, 'viewer', 'them@example.com', $2)`,
      [org.id, hash],
    ),
    notification: await db.value(`select private.notify_org($1, 'test', 'info', 'Theirs')`, [org.id]),
    ...(await updates(api, org, admin)),
    apiKey: await db.value('select id from public.api_keys where org_id = $1 limit 1', [org.id]),
    provisioningKey: await insert(
      `insert into public.provisioning_keys (org_id, product_type, name, prefix, key_sha256)
       values ($1, $2, 'line', 'ec_prov_test', $3)`,
      [org.id, type, hash],
    ),
  };
}

/** Firmware that is ready, a job with it, and a saved filter. */
export async function updates(
  { db }: TestApi,
  org: Org,
  admin: Actor,
): Promise<Pick<Ids, 'firmware' | 'job' | 'filter'>> {
  const firmware = await db.value<string>(
    `insert into public.firmware
       (org_id, product_type, version, filename, size, sha256, signature, object_path, state, ready_at, created_by_kind)
     select $1, d.product_type, '9.0.0', 'theirs.bin', 1000, repeat('0', 64), 'none', gen_random_uuid(), 'ready', now(), 'system'
     from public.devices d where d.id = $2 returning id`,
    [org.id, org.device.id],
  );
  return db.as(admin, async (session) => ({
    firmware,
    job: await session.value(`select ec.push_firmware($1, $2) ->> 'id'`, [org.device.serial, firmware]),
    filter: await session.value(`select ec.save_device_filter($1, 'Theirs', '{}') ->> 'id'`, [org.id]),
  }));
}

/** A room and a device that nobody tried a code at: ten tries at one are all there are. */
export async function fresh(
  { db }: TestApi,
  org: Org,
  admin: Actor,
): Promise<{ emptyRoom: string; spare: string }> {
  const name = `extra-${randomBytes(4).toString('hex')}`;
  const emptyRoom = await db.value<string>(
    `insert into public.locations (org_id, parent_id, type, name) values ($1, $2, 'room', $3) returning id`,
    [org.id, org.building, name],
  );
  await db.as(admin, (session) => register(session, name, { orgId: org.id }));
  return { emptyRoom, spare: name };
}

/** Next door: another room and another customer's device of the same org, which staff may see. */
export async function neighbour(api: TestApi): Promise<Ids> {
  const { db, world } = api;
  const { org } = world;
  const serial = 'next-door-001';
  const { device } = await db.as(world.orgAdmin, (session) => register(session, serial));
  await db.as(world.orgAdmin, (session) =>
    session.query('select ec.assign_device($1, $2)', [serial, { location_id: org.otherRoom }]),
  );
  await giveToCustomer(db, device.id, await makeMember(db, 'neighbour', 'customer', { org: org.id }));
  const flatmate = await makeMember(db, 'flatmate', 'tenant', { org: org.id, location: org.otherRoom });
  const member = await db.value<string>('select id from public.memberships where user_id = $1', [
    flatmate.user,
  ]);
  return { ...nowhere(), ...(await fresh(api, org, world.orgAdmin)), serial, room: org.otherRoom, member };
}
