import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { acknowledge, commandOf, send, type Command } from '../harness/commanding.ts';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices, type FleetDevice } from '../harness/fleet.ts';
import { claimMessages, finishMessages, publish, sayOnline } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
let device: FleetDevice;
let other: FleetDevice;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
});
beforeEach(async () => {
  [device, other] = (await makeDevices(db, world.org.id, 2)) as [FleetDevice, FleetDevice];
  await sayOnline(db, device.serial, true);
});
afterAll(() => db.drop());

async function sent(): Promise<Command> {
  const command = await send(db, world.operator, device.serial, 'blink');
  await publish(bridge);
  return command;
}

test('done, with its reply', async () => {
  const { id } = await sent();
  const result = { took_ms: 12, list: [1, null] };
  expect(await acknowledge(bridge, device.serial, { id, ok: true, result })).toBe(1);
  expect(await commandOf(db, id)).toMatchObject({
    ...{ state: 'acknowledged', result, reason: null, acknowledged_at: expect.any(Date) },
  });
});

test.each([
  ['a sentence', 'door is open', 'door is open'],
  ['an object with a reason', { reason: 'too hot', at: 80 }, 'too hot'],
  ['an object with an error', { error: 'E7' }, 'E7'],
  ['nothing', undefined, 'The device refused it.'],
])('refused, with %s as the reason', async (_what, result, reason) => {
  const { id } = await sent();
  await acknowledge(bridge, device.serial, { id, ok: false, ...(result === undefined ? {} : { result }) });
  expect(await commandOf(db, id)).toMatchObject({ state: 'failed', reason, result: result ?? null });
});

test('the first word counts, in one call and in several', async () => {
  const { id } = await sent();
  expect(await acknowledge(bridge, device.serial, { id, ok: true }, { id, ok: false })).toBe(1);
  expect(await acknowledge(bridge, device.serial, { id, ok: false })).toBe(0);
  expect((await commandOf(db, id)).state).toBe('acknowledged');
});

test('a device that answers before the broker does keeps its word', async () => {
  const { id } = await send(db, world.operator, device.serial, 'blink');
  const messages = await claimMessages(bridge);
  await acknowledge(bridge, device.serial, { id, ok: true });
  await finishMessages(bridge, messages);
  expect(await commandOf(db, id)).toMatchObject({ state: 'acknowledged', sent_door: 'mqtt' });
});

test('unknown ids, ids that are none, and other devices’ ids change nothing and stop nobody else', async () => {
  const { id } = await sent();
  const nonsense = ['', 'x'.repeat(64), 'null', `${id}0`, randomUUID()];
  const acks = nonsense.map((each) => ({ id: each, ok: true }));
  expect(await acknowledge(bridge, other.serial, ...acks, { id, ok: false })).toBe(0);
  expect((await commandOf(db, id)).state).toBe('sent');
  expect(await acknowledge(bridge, device.serial, ...acks, { id: id.toUpperCase(), ok: true })).toBe(1);
  expect(await acknowledge(bridge, 'NOBODY-1', { id, ok: true })).toBe(0);
});

test('answering is a sign of life', async () => {
  await db.query(
    `update public.device_state set last_seen = now() - interval '1 day', connected = false where device_num = $1`,
    [device.num],
  );
  const waiting = await send(db, world.operator, device.serial, 'blink');
  await acknowledge(bridge, device.serial, { id: randomUUID(), ok: true });
  expect((await publish(bridge)).map(({ payload }) => (JSON.parse(payload) as Command).id)).toEqual([
    waiting.id,
  ]);
  expect(
    await db.value(
      `select connected and last_seen > now() - interval '1 minute' from public.device_state where device_num = $1`,
      [device.num],
    ),
  ).toBe(true);
});

test('many devices’ answers and the broker’s, at the same moment, are all kept', async () => {
  const fleet = await makeDevices(db, world.org.id, 60);
  const commands: Command[] = [];
  for (const { serial } of fleet) {
    await sayOnline(db, serial, true);
    commands.push(await send(db, world.operator, serial, 'blink'));
  }
  const messages = await claimMessages(bridge);
  const [second, third] = [await db.connect('ec_bridge'), await db.connect('ec_bridge')];
  const acks = commands.map(({ id, serial }) => ({ s: serial, id, ok: true, r: Date.now() * 1000 }));
  const record = (session: Session, part: unknown[]): Promise<number> =>
    session.value('select ec.record_command_acks($1::json)', [JSON.stringify(part)]);
  const results = await Promise.all([
    finishMessages(bridge, messages.toReversed()),
    record(second, acks),
    record(third, acks.toReversed()),
  ]);
  expect((results[1] as number) + (results[2] as number)).toBe(60);
  const states = await db.query(
    `select distinct state, sent_door, outbox_id from public.device_commands where id = any ($1)`,
    [commands.map(({ id }) => id)],
  );
  expect(states).toEqual([{ state: 'acknowledged', sent_door: 'mqtt', outbox_id: null }]);
});
