import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount, type Account } from '../harness/account.ts';
import { claim, makeClaimable, reissue, unclaim, type Claimable } from '../harness/claiming.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { ingest } from '../harness/fleet.ts';
import { makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

/** A packet of now; the values number the readings. */
const read = (serial: string, co2: number): Promise<unknown> =>
  ingest(db, [{ s: serial, d: { co2, temp: co2 / 10 }, r: Date.now() * 1000 }]);

interface Sight {
  telemetry: number[];
  rollups: number;
  reported: unknown;
  baselines: number;
  last_seen: boolean;
  tenures: number;
}
/** Everything of one device an actor can read, whatever way it is asked for. */
const sightOf = (actor: Actor, device: { num: number }): Promise<Sight> =>
  db.as(actor, (session) =>
    session.value(
      `select jsonb_build_object(
         'telemetry', (select coalesce(jsonb_agg((t.data -> 'co2')::int order by t.ts), '[]') from public.telemetry t where t.device_num = $1),
         'rollups', (select coalesce(sum(r.counts[array_position(r.keys, 'co2')]), 0) from public.rollups_1m r where r.device_num = $1),
         'reported', (select s.reported -> 'co2' from public.device_state s where s.device_num = $1),
         'baselines', (select coalesce(max(cardinality(s.w_co2) + cardinality(s.w_temp)), 0) from public.device_state s where s.device_num = $1),
         'last_seen', (select count(s.last_seen) + count(s.last_telemetry_at) > 0 from public.device_state s where s.device_num = $1),
         'tenures', (select count(*) from public.device_tenures t where t.device_num = $1))`,
      [device.num],
    ),
  );
const rollUp = (): Promise<unknown> => db.query("select ec.run_rollups(now() + interval '2 minutes')");
const nothing = { telemetry: [], reported: null, baselines: 0, last_seen: false };

test('a customer sees from the claim on; the one before sees neither the new readings nor, any more, the old ones', async () => {
  const [first, second] = [await makeAccount(db, 'first'), await makeAccount(db, 'second')];
  const device = await makeClaimable(db, world.orgAdmin, 'PAST-1');
  await read('PAST-1', 1);
  await claim(db, first, device);
  expect(await sightOf(first, device)).toMatchObject(nothing);
  await read('PAST-1', 2);
  await rollUp();
  expect(await sightOf(first, device)).toMatchObject({
    telemetry: [2],
    reported: 2,
    baselines: 2,
    tenures: 1,
  });

  await claim(db, second, await reissue(db, world.orgAdmin, device));
  expect(await sightOf(second, device)).toMatchObject(nothing);
  await read('PAST-1', 3);
  await rollUp();
  expect(await sightOf(second, device)).toMatchObject({
    telemetry: [3],
    reported: 3,
    baselines: 2,
    tenures: 1,
  });
  // The first was a customer then and may keep what was theirs, but nothing of now.
  expect(await sightOf(first, device)).toMatchObject({ telemetry: [2], reported: null, baselines: 0 });
  expect((await sightOf(world.viewer, device)).telemetry).toEqual([1, 2, 3]);
});

test('an org that claimed it sees from then on, its maker until then, and after the return both their own', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'PAST-2');
  await read('PAST-2', 1);
  await claim(db, world.strangerAdmin, device, world.stranger.id);
  expect(await sightOf(world.strangerAdmin, device)).toMatchObject(nothing);
  await read('PAST-2', 2);
  await rollUp();
  expect(await sightOf(world.strangerAdmin, device)).toMatchObject({
    telemetry: [2],
    reported: 2,
    tenures: 1,
  });
  expect(await sightOf(world.orgAdmin, device)).toMatchObject({ telemetry: [1], reported: null, tenures: 1 });
  await unclaim(db, world.strangerAdmin, 'PAST-2');
  await read('PAST-2', 3);
  expect(await sightOf(world.orgAdmin, device)).toMatchObject({ telemetry: [1, 3], reported: 3, tenures: 2 });
  expect(await sightOf(world.strangerAdmin, device)).toMatchObject({ telemetry: [2], reported: null });
});

test('the minute of a claim is split between the two', async () => {
  const person = await makeAccount(db, 'minute');
  const device = await makeClaimable(db, world.orgAdmin, 'PAST-3');
  await read('PAST-3', 1);
  await claim(db, person, device);
  await read('PAST-3', 2);
  await rollUp();
  expect((await sightOf(person, device)).rollups).toBe(1);
  expect((await sightOf(world.viewer, device)).rollups).toBe(2);
});

async function placed(serial: string): Promise<Claimable> {
  const device = await makeClaimable(db, world.orgAdmin, serial);
  await db.as(world.orgAdmin, (session) =>
    session.query('select ec.assign_device($1, $2)', [serial, { location_id: world.org.otherRoom }]),
  );
  return device;
}
const moveIn = (name: string): Promise<{ user: string }> =>
  makeMember(db, name, 'tenant', { org: world.org.id, location: world.org.otherRoom });
const moveOut = (tenant: { user: string }): Promise<unknown> =>
  db.query('update public.memberships set ended_at = now() where user_id = $1', [tenant.user]);

test('a new tenant sees nothing of the empty room, of the tenant before, or of a flatmate’s time', async () => {
  const device = await placed('PAST-4');
  await read('PAST-4', 1);
  const ann = await moveIn('ann');
  expect(await sightOf(ann, device)).toMatchObject({ telemetry: [], reported: null, baselines: 0 });
  await read('PAST-4', 2);
  const mate = await moveIn('mate');
  expect(await sightOf(mate, device)).toMatchObject({ telemetry: [], reported: null, baselines: 0 });
  await read('PAST-4', 3);
  await rollUp();
  expect((await sightOf(ann, device)).telemetry).toEqual([2, 3]);
  expect((await sightOf(mate, device)).telemetry).toEqual([3]);
  expect((await sightOf(mate, device)).rollups).toBe(1);

  await moveOut(ann);
  await moveOut(mate);
  const bob = await moveIn('bob');
  await rollUp();
  expect(await sightOf(bob, device)).toMatchObject({
    telemetry: [],
    rollups: 0,
    reported: null,
    baselines: 0,
  });
  expect(await sightOf(ann, device)).toMatchObject({ telemetry: [], rollups: 0, reported: null, tenures: 0 });
});

test('a flatmate who moves in leaves what was wished for in place', async () => {
  const device = await placed('PAST-5');
  await db.query(`update public.devices set desired = '{"setpoint":21}' where id = $1`, [device.id]);
  await moveIn('flatmate');
  expect(await db.value('select desired from public.devices where id = $1', [device.id])).toEqual({
    setpoint: 21,
  });
});

test('a customer who comes back after they were removed starts anew', async () => {
  const person: Account = await makeAccount(db, 'returning');
  const device = await makeClaimable(db, world.orgAdmin, 'PAST-6');
  await claim(db, person, device);
  await read('PAST-6', 1);
  await db.query('update public.memberships set ended_at = now() where user_id = $1', [person.user]);
  await read('PAST-6', 2);
  await claim(db, person, await reissue(db, world.orgAdmin, device));
  expect(await sightOf(person, device)).toMatchObject(nothing);
  await read('PAST-6', 3);
  expect((await sightOf(person, device)).telemetry).toEqual([3]);
});

test('a reading that was on its way belongs to whoever had the device when it was taken', async () => {
  const person = await makeAccount(db, 'late');
  const device = await makeClaimable(db, world.orgAdmin, 'PAST-7');
  const taken = Date.now() - 60_000;
  await claim(db, person, device);
  await ingest(db, [{ s: 'PAST-7', d: { co2: 9 }, r: Date.now() * 1000, t: taken }]);
  expect(await sightOf(person, device)).toMatchObject({ telemetry: [], reported: null, baselines: 0 });
});
