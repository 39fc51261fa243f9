import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

/** A reading of now, as ingest stores it. */
let clock = Date.parse('2026-11-20T10:00:00Z');
async function read(temp: number): Promise<void> {
  const { device, num } = world.org;
  clock += 1000;
  await db.query(
    `insert into public.telemetry (device_num, ts, tenure_id, org_num, data)
     select $1, $2, tenure_id, $3, $4 from public.device_state where device_num = $1`,
    [device.num, new Date(clock), num, { temp }],
  );
}
const seenBy = (actor: Actor): Promise<number[]> =>
  db.as(actor, async (session) =>
    (
      await session.query<{ temp: string }>(`select data->>'temp' as temp from public.telemetry order by ts`)
    ).map(({ temp }) => Number(temp)),
  );
const endMembership = (actor: Actor): Promise<unknown> =>
  db.query('update public.memberships set ended_at = now() where user_id = $1', [
    (actor as { user: string }).user,
  ]);

test('each tenant and customer sees the readings of their own tenure, the org sees all', async () => {
  await read(1);
  const mateMovesIn = await makeMember(db, 'mate', 'tenant', { org: world.org.id, location: world.org.room });
  await read(2);
  expect(await seenBy(world.tenant)).toEqual([1, 2]);
  expect(await seenBy(mateMovesIn)).toEqual([2]);

  await endMembership(world.tenant);
  await read(3);
  expect(await seenBy(world.tenant)).toEqual([]);
  expect(await seenBy(mateMovesIn)).toEqual([2, 3]);

  await db.as(world.orgAdmin, (session) =>
    session.query('select ec.assign_device($1, $2)', [
      world.org.device.serial,
      { location_id: world.org.otherRoom },
    ]),
  );
  await read(4);
  expect(await seenBy(mateMovesIn)).toEqual([2, 3]);
  expect(await seenBy(world.viewer)).toEqual([1, 2, 3, 4]);
  expect(await seenBy(world.customer)).toEqual([1, 2, 3, 4]);
});

test('moving the last tenant out resets the shadow and clears retained messages; one of two leaving does not', async () => {
  const { device } = world.sibling;
  const home = { org: world.sibling.id, location: world.sibling.room };
  const [first, second] = [
    await makeMember(db, 'first', 'tenant', home),
    await makeMember(db, 'second', 'tenant', home),
  ];
  await db.query(`update public.devices set desired = '{"relay":true}', desired_version = 4 where id = $1`, [
    device.id,
  ]);
  await db.query(
    `update public.device_state set reported = '{"temp":20}', reported_at = now(), w_temp = '{20,21}', s_temp = 41 where device_id = $1`,
    [device.id],
  );
  const shadow = (): Promise<Record<string, unknown>[]> =>
    db.query(
      `select d.desired, d.desired_version::int, s.reported, s.reported_at, s.w_temp, s.s_temp
       from public.devices d join public.device_state s on s.device_id = d.id where d.id = $1`,
      [device.id],
    );
  await endMembership(first);
  expect(await shadow()).toMatchObject([
    { desired: { relay: true }, reported: { temp: 20 }, w_temp: [20, 21] },
  ]);
  await db.query('delete from ec.mqtt_outbox');
  await endMembership(second);
  expect(await shadow()).toEqual([
    { desired: {}, desired_version: 5, reported: {}, reported_at: null, w_temp: [], s_temp: 0 },
  ]);
  const cleared = await db.query('select payload, retain from ec.mqtt_outbox where serial = $1', [
    device.serial,
  ]);
  expect(cleared).toEqual([
    { payload: '', retain: true },
    { payload: '', retain: true },
  ]);
});

test('there is one open tenure per device, and the device, its state and the tenure agree', async () => {
  const rows = await db.query(
    `select d.serial, count(*)::int as open, bool_and(t.id = d.tenure_id and t.id = s.tenure_id and t.org_id = d.org_id
       and t.location_id is not distinct from d.location_id and t.customer_id is not distinct from d.customer_id) as agree
     from public.devices d join public.device_tenures t on t.device_id = d.id and t.ended_at is null
     join public.device_state s on s.device_id = d.id group by 1 order by 1`,
  );
  expect(rows).toHaveLength(3);
  expect(rows.every((row) => row['open'] === 1 && row['agree'] === true)).toBe(true);
});
