import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { acknowledge, age, expire, send } from '../harness/commanding.ts';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices, type FleetDevice } from '../harness/fleet.ts';
import { publish, report, sayOnline, setDesired, telemetry } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
let device: FleetDevice;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
});
beforeEach(async () => {
  await db.query('truncate ec.live_leases, ec.live_pending');
  [device] = (await makeDevices(db, world.org.id, 1)) as [FleetDevice];
  await telemetry(db, device.serial, { temp: 20, relay: false });
});
afterAll(() => db.drop());

const look = (): Promise<unknown> =>
  db.as(world.viewer, (session) =>
    session.query('select * from ec.lease_topics($1)', [[`device:${device.serial}`]]),
  );
const shown = async (): Promise<[string, Record<string, unknown>][]> =>
  (
    await db.query<{ event: string; payload: Record<string, unknown> }>(
      `with gone as (delete from realtime.messages returning topic, event, payload, inserted_at)
       select event, payload from gone where topic like 'device:' || $1 || ':%' order by inserted_at`,
      [device.id],
    )
  ).map(({ event, payload }) => [event, payload]);
const change = (relay: boolean): Promise<unknown> =>
  setDesired(db, world.operator, device.serial, { relay }, { token: 'tab-1' });

test('whoever looks at the device sees what is desired now, its version and what is missing', async () => {
  await change(true);
  expect(await shown(), 'nobody looked').toEqual([]);
  await look();
  await change(false);
  expect(await shown()).toEqual([
    [
      'shadow',
      {
        ...{ serial: device.serial, desired: { relay: false }, desired_version: 2, delta: {} },
        ...{ at: expect.any(String), client_token: 'tab-1' },
      },
    ],
  ]);
});

test('a confirmation is shown at once, however recently the topic was sent', async () => {
  await look();
  await telemetry(db, device.serial, { temp: 21, relay: false });
  expect(await shown()).toHaveLength(1);
  await telemetry(db, device.serial, { temp: 22, relay: false });
  expect(await shown(), 'the limit holds while nothing is pending').toEqual([]);
  await change(true);
  await shown();
  await report(db, device.serial, { relay: true });
  const [[event, confirmed]] = (await shown()) as [[string, Record<string, unknown>]];
  expect([event, confirmed['reported']]).toEqual(['telemetry', { temp: 22, relay: true }]);
  await telemetry(db, device.serial, { temp: 23, relay: true });
  expect(await shown(), 'in telemetry, too').toHaveLength(1);
  await db.query(`update public.devices set desired_at = desired_at - interval '11 seconds' where id = $1`, [
    device.id,
  ]);
  await telemetry(db, device.serial, { temp: 24, relay: true });
  expect(await shown(), 'then the limit holds again').toEqual([]);
});

test('a command shows each of its states, without what only staff may read', async () => {
  await look();
  await sayOnline(db, device.serial, true);
  const { id } = await send(db, world.operator, device.serial, 'blink', { secret: 1 });
  await publish(bridge);
  await acknowledge(bridge, device.serial, { id, ok: false, result: 'jammed' });
  const late = await send(db, world.operator, device.serial, 'blink', null, 60);
  await age(db, 61);
  await expire(db);
  const commands = (await shown()).filter(([event]) => event === 'command').map(([, payload]) => payload);
  expect(commands.map((payload) => [payload['id'], payload['state'], payload['reason']])).toEqual([
    [id, 'queued', null],
    [id, 'sent', null],
    [id, 'failed', 'jammed'],
    [late.id, 'queued', null],
    [late.id, 'expired', 'not_reached'],
  ]);
  expect(Object.keys(commands[0]!).toSorted()).toEqual([
    'acknowledged_at',
    'created_at',
    'expires_at',
    'id',
    'reason',
    'sent_at',
    'serial',
    'state',
    'type',
  ]);
});
