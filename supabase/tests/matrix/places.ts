import type { Actor, Database } from '../harness/database.ts';
import { makeProvisioningKey } from '../harness/keys.ts';
import { register } from '../harness/register.ts';
import { giveToCustomer, makeApiKey, makeMember, seedWorld, type World } from '../harness/world.ts';
import { PLACES, type Caller, type Place } from './expectations.ts';

/** Three orgs and a neighbour, each with a row in every table that may hold one of theirs. */
export interface Places {
  world: World;
  actors: Record<Caller, Actor>;
  /** Whose a key is: ids of orgs, devices, rooms, people and product types, and numbers of devices. */
  ownerOf: ReadonlyMap<unknown, Place>;
  org: Record<Place, { id: string }>;
  device: Record<Place, { id: string; num: number }>;
  /** Update jobs, each of the org that has the place's device. */
  job: Record<Place, { id: string }>;
}

export async function seedPlaces(db: Database): Promise<Places> {
  const world = await seedWorld(db);
  const actors: Record<Caller, Actor> = {
    ...world,
    writeOnlyKey: await makeApiKey(db, world.org.id, ['write']),
    provisioningKey: await makeProvisioningKey(db, world.org.id),
    device: { device: world.org.device.id },
    nobody: 'nobody',
  };
  const device = {
    org: world.org.device,
    neighbour: await addNeighbour(db, world),
    sibling: world.sibling.device,
    stranger: world.stranger.device,
  };
  const ownerOf = new Map<unknown, Place>([
    [world.partner, 'org'],
    [world.otherPartner, 'stranger'],
    [world.org.otherRoom, 'neighbour'],
  ]);
  const job = {} as Places['job'];
  for (const place of PLACES) {
    ownerOf.set(device[place].id, place).set(device[place].num, place);
    await fillDevice(db, device[place]);
    job[place] = await addJob(db, device[place]);
  }
  for (const place of ['org', 'sibling', 'stranger'] as const) {
    const { id, room } = world[place];
    const type = `type-${place}`;
    const { user } = await makeMember(db, place, 'viewer', { org: id });
    for (const key of [id, room, type, user]) ownerOf.set(key, place);
    await fillOrg(db, id, room, type);
  }
  const org = { org: world.org, neighbour: world.org, sibling: world.sibling, stranger: world.stranger };
  return { world, actors, ownerOf, org, device, job };
}

/** A device next door, in another room of the same org and with another customer. */
async function addNeighbour(db: Database, world: World): Promise<{ id: string; num: number }> {
  const { org } = world;
  const { device } = await db.as(world.orgAdmin, (session) => register(session, 'next-door-001'));
  await db.as(world.orgAdmin, (session) =>
    session.query('select ec.assign_device($1, $2)', ['next-door-001', { location_id: org.otherRoom }]),
  );
  await giveToCustomer(db, device.id, await makeMember(db, 'neighbour', 'customer', { org: org.id }));
  await makeMember(db, 'flatmate', 'tenant', { org: org.id, location: org.otherRoom });
  const num = await db.value<number>('select num from public.devices where id = $1', [device.id]);
  return { id: device.id, num };
}

async function fillDevice(db: Database, { num }: { num: number }): Promise<void> {
  await db.query(
    `insert into public.telemetry (device_num, ts, tenure_id, org_num, data)
     select device_num, '2026-11-20T10:00:00Z', tenure_id, org_num, '{}' from public.device_state where device_num = $1`,
    [num],
  );
  for (const table of ['rollups_1m', 'rollups_5m', 'rollups_15m', 'rollups_1h', 'rollups_1d'])
    await db.query(
      `insert into public.${table} (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
       select device_num, '2026-11-20T10:00:00Z', tenure_id, org_num, '{}', '{}', '{}', '{}', '{}'
       from public.device_state where device_num = $1`,
      [num],
    );
  await db.query(
    `insert into public.deviations (device_num, ts, tenure_id, org_num, metric, value, mean, pct)
     select device_num, '2026-11-20T10:00:00Z', tenure_id, org_num, 'temp', 2, 1, 100
     from public.device_state where device_num = $1`,
    [num],
  );
  await db.query(
    `insert into public.device_commands (device_id, device_num, serial, org_id, tenure_id, type, created_by_kind, expires_at)
     select id, num, serial, org_id, tenure_id, 'blink', 'system', now() from public.devices where num = $1`,
    [num],
  );
  await db.query('select private.note_boots($1)', [
    JSON.stringify([{ num, at: '2026-11-20T10:00:00Z', uptime: 5, reason: 'POWERON' }]),
  ]);
}

/** An update of the device, with what happened to it. */
async function addJob(db: Database, { num }: { num: number }): Promise<{ id: string }> {
  const id = await db.value<string>(
    `with image as (
       insert into public.firmware (org_id, product_type, version, filename, size, sha256, signature, object_path, state, created_by_kind, ready_at)
       select org_id, product_type, '1.0.' || num, 'x.bin', 1, repeat('0', 64), 'x', 'x', 'ready', 'system', now() from public.devices where num = $1
       returning id, org_id, product_type, version
     )
     insert into public.ota_jobs (org_id, number, firmware_id, product_type, version, target, stages, failure_pct, timeout_s, force, state, created_by_kind)
     select org_id, $1, id, product_type, version, '{}', '[]', 20, 1800, false, 'completed', 'system' from image
     returning id`,
    [num],
  );
  await db.query(
    `with part as (
       insert into public.ota_job_devices (job_id, device_id, device_num, serial, org_id, stage, position, zone, state)
       select $1, id, num, serial, org_id, 0, 0, 'UTC', 'succeeded' from public.devices where num = $2
       returning id, org_id, serial
     )
     insert into public.ota_events (job_id, job_device_id, org_id, serial, state)
     select $1, id, org_id, serial, 'succeeded' from part`,
    [id, num],
  );
  return { id };
}

async function fillOrg(db: Database, id: string, room: string, type: string): Promise<void> {
  const hash = Buffer.from(type);
  await db.query(`insert into public.dead_letters (org_id, door, reason) values ($1, 'mqtt', 'not_json')`, [
    id,
  ]);
  await db.query(`select private.notify_org($1, 'test', 'info', 'Something happened')`, [id]);
  await db.query(`insert into public.serial_prefixes values ($1, $2)`, [`${type}-`, id]);
  await db.query(`insert into public.product_types (key, name, maker_org_id) values ($1, 'x', $2)`, [
    type,
    id,
  ]);
  await db.query(
    `insert into public.metric_definitions (product_type, key, label) values ($1, 'temp', 'T')`,
    [type],
  );
  await db.query(
    `insert into public.control_definitions (product_type, key, label, kind) values ($1, 'led', 'L', 'boolean')`,
    [type],
  );
  await db.query(`insert into public.product_type_keys values ($1, $2, 'public', gen_random_uuid())`, [
    type,
    id,
  ]);
  await db.query(
    `insert into public.device_filters (org_id, name, filter, created_by_kind) values ($1, 'mine', '{}', 'system')`,
    [id],
  );
  await db.query(
    `insert into public.provisioning_keys (org_id, product_type, name, prefix, key_sha256)
     values ($1, $2, 'line', 'ec_prov_test', sha256($3))`,
    [id, type, hash],
  );
  await db.query(
    `insert into public.invitations (org_id, role, email, token_sha256) values ($1, 'viewer', 'new@example.com', sha256($2))`,
    [id, hash],
  );
  await db.query(
    `insert into public.room_codes (org_id, location_id, version, code_sha256) values ($1, $2, 1, sha256($3))`,
    [id, room, hash],
  );
}
