import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { acknowledge, age, commandOf, expire, send, type Command } from '../harness/commanding.ts';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices, type FleetDevice } from '../harness/fleet.ts';
import { claimMessages, finishMessages, loseBridge, publish, received } from '../harness/wire.ts';
import { sayOnline, telemetry } from '../harness/wire.ts';
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
  [device] = (await makeDevices(db, world.org.id, 1)) as [FleetDevice];
  await publish(bridge);
});
afterAll(() => db.drop());

const order = (type = 'blink', expiresS = 60): Promise<Command> =>
  send(db, world.operator, device.serial, type, null, expiresS);
const cmds = (): Promise<unknown[]> => received(bridge, device.serial, 'cmd');

test('one whose device came back too late expires unsent, even before the clock’s job has run', async () => {
  const { id } = await order();
  await age(db, 61);
  await sayOnline(db, device.serial, true);
  expect(await cmds()).toEqual([]);
  expect(await expire(db)).toBe(1);
  expect(await commandOf(db, id)).toMatchObject({ state: 'expired', reason: 'not_reached' });
  await telemetry(db, device.serial, { temp: 20 });
  expect(await cmds()).toEqual([]);
});

test('one that waits for a bridge when its time ends is not sent by any later one', async () => {
  await sayOnline(db, device.serial, true);
  const { id } = await order();
  await age(db, 61);
  await db.query(`update ec.mqtt_outbox set expires_at = expires_at - interval '61 seconds'`);
  expect(await cmds()).toEqual([]);
  await expire(db);
  expect((await commandOf(db, id)).state).toBe('expired');
  expect(await db.query('select 1 from ec.mqtt_outbox where sent_at is null')).toEqual([]);
});

test('nor after the lease of a bridge that died with it', async () => {
  await sayOnline(db, device.serial, true);
  await order();
  expect(await claimMessages(bridge, 'dying')).toHaveLength(1);
  await age(db, 61);
  await db.query(`update ec.mqtt_outbox set expires_at = expires_at - interval '61 seconds'`);
  await loseBridge(db);
  expect(await cmds()).toEqual([]);
});

test('one that was sent and never answered expires as such, and is not sent again', async () => {
  await sayOnline(db, device.serial, true);
  const { id } = await order();
  await cmds();
  await age(db, 61);
  await telemetry(db, device.serial, { temp: 20 });
  expect(await cmds()).toEqual([]);
  await expire(db);
  expect(await commandOf(db, id)).toMatchObject({ state: 'expired', reason: 'not_answered' });
});

test('a device that answers late is heard, because it did it', async () => {
  await sayOnline(db, device.serial, true);
  const { id } = await order();
  await cmds();
  await age(db, 61);
  await expire(db);
  expect(await acknowledge(bridge, device.serial, { id, ok: true, result: 'late' })).toBe(1);
  expect(await commandOf(db, id)).toMatchObject({ state: 'acknowledged', result: 'late' });
});

test('what has not ended stays, and what has ended expires once', async () => {
  await order('blink', 60);
  const { id } = await order('blink', 600);
  await age(db, 61);
  expect(await expire(db)).toBe(1);
  expect(await expire(db)).toBe(0);
  expect((await commandOf(db, id)).state).toBe('queued');
});

test('a broker’s late answer does not bring an expired one back', async () => {
  await sayOnline(db, device.serial, true);
  const { id } = await order();
  const messages = await claimMessages(bridge);
  await age(db, 61);
  await expire(db);
  await finishMessages(bridge, messages);
  expect(await commandOf(db, id)).toMatchObject({ state: 'expired', sent_at: expect.any(Date) });
});

test('whoever has the device next gets nothing of before, and whoever had it keeps the record', async () => {
  await sayOnline(db, device.serial, true);
  const sent = await order();
  await cmds();
  const onItsWay = await order();
  await db.as(world.admin, (session) =>
    session.query('select ec.assign_device($1, $2)', [device.serial, { org_id: world.sibling.id }]),
  );
  expect(await cmds()).toEqual([]);
  await telemetry(db, device.serial, { temp: 20 });
  await age(db, 40);
  await telemetry(db, device.serial, { temp: 20 });
  expect(await cmds()).toEqual([]);
  for (const { id } of [sent, onItsWay])
    expect(await commandOf(db, id)).toMatchObject({ state: 'failed', reason: 'handed_over' });
  expect(
    await db.as(world.viewer, (session) =>
      session.query('select id from public.device_commands where serial = $1', [device.serial]),
    ),
  ).toHaveLength(2);
  // The device may answer what it got; that is no news for its new holder.
  expect(await acknowledge(bridge, device.serial, { id: sent.id, ok: true })).toBe(0);
});

test('a retired device gets nothing', async () => {
  await telemetry(db, device.serial, { temp: 20 });
  const { id } = await order();
  await db.as(world.admin, (session) => session.query('select ec.retire_device($1, true)', [device.serial]));
  expect(await cmds()).toEqual([]);
  expect(await commandOf(db, id)).toMatchObject({ state: 'failed', reason: 'retired' });
});

test('ended ones are forgotten after 90 days', async () => {
  const old = await order('old');
  const { id } = await order('new');
  await db.query(
    `update public.device_commands set state = 'expired', created_at = created_at - interval '91 days' where id = $1`,
    [old.id],
  );
  await db.query('select ec.purge_expired(now())');
  expect(await db.query('select id from public.device_commands where device_num = $1', [device.num])).toEqual(
    [{ id }],
  );
});
