import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { age, commandOf, expire, send, type Command } from '../harness/commanding.ts';
import { openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeSecret } from '../harness/secrets.ts';
import { nextArrival, publish, received, setDesired, telemetry } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

interface Reply {
  commands: { id: string; type: string; payload?: unknown; expires_at: string }[];
  desired: Record<string, unknown>;
  desired_version: number;
  reboot?: true;
}

let db: Database;
let world: World;
let bridge: Session;
let api: Session;
let serial: string;
let hash: string;
let self: Actor;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
  api = await db.connect('ec_api');
});
beforeEach(async () => {
  serial = `GSM-${randomUUID()}`;
  const secret = makeSecret();
  hash = secret.sha256.toString('hex');
  const { device } = await db.as(world.orgAdmin, (session) => register(session, serial, { secret }));
  self = { device: device.id };
});
afterAll(() => db.drop());

const ask = (actor = self): Promise<Reply> =>
  db.as(actor, (session) => session.value('select ec.read_device_commands($1)', [serial]));
/** Requests of the device, in one group; the answer to each is 205? */
async function post(packets: number[] = [1]): Promise<boolean[]> {
  const requests = packets.map((count, i) => ({
    ...{ i, s: serial, h: hash, x: [] },
    p: Array.from({ length: count }, () => ({ d: { temp: 20 }, r: nextArrival(), t: null, q: null })),
  }));
  const results = await api.value<{ ok: boolean; reboot: boolean }[]>(
    'select ec.ingest_device_requests($1::json)',
    [JSON.stringify(requests)],
  );
  expect(results.every(({ ok }) => ok)).toBe(true);
  return results.map(({ reboot }) => reboot);
}
const push = (): Promise<{ reboot: boolean }> =>
  db.as(self, (session) =>
    session.value('select ec.push_telemetry($1, $2::json, $3::json)', [
      serial,
      JSON.stringify([{ d: { temp: 20 }, r: nextArrival(), t: null, q: null }]),
      '[]',
    ]),
  );
const order = (type = 'blink', payload: unknown = null): Promise<Command> =>
  send(db, world.operator, serial, type, payload);
const stateOf = async (id: string): Promise<string> => (await commandOf(db, id)).state;

test('asking hands out what waits, with what is desired, and marks it as sent', async () => {
  await setDesired(db, world.operator, serial, { relay: true });
  const first = await order('blink', { times: 2 });
  const second = await order();
  expect(await ask()).toEqual({
    ...{ desired: { relay: true }, desired_version: 1 },
    commands: [
      { id: first.id, type: 'blink', payload: { times: 2 }, expires_at: first.expires_at },
      { id: second.id, type: 'blink', expires_at: second.expires_at },
    ],
  });
  expect(await commandOf(db, first.id)).toMatchObject({ state: 'sent', sent_door: 'https' });
});

test('an answer that was lost on the way is given again, until the device acknowledges', async () => {
  const { id } = await order();
  const acknowledge = (ok = true): Promise<unknown> =>
    db.as(self, (session) =>
      session.value('select ec.acknowledge_command($1, $2, $3, $4)', [serial, id, ok, '{"n":1}']),
    );
  for (const _ of [1, 2]) expect((await ask()).commands).toMatchObject([{ id }]);
  expect(await acknowledge()).toEqual({ id, state: 'acknowledged' });
  expect(await acknowledge(false), 'the first word counts').toEqual({ id, state: 'acknowledged' });
  expect((await ask()).commands).toEqual([]);
  expect((await commandOf(db, id)).result).toEqual({ n: 1 });
});

test('telemetry over HTTPS sends nothing to the broker', async () => {
  await post();
  await order();
  await post();
  expect(await received(bridge, serial, 'cmd')).toEqual([]);
  expect((await ask()).commands).toHaveLength(1);
});

test('a device that speaks to the broker again gets what it never asked for there', async () => {
  await post();
  const { id } = await order();
  await telemetry(db, serial, { temp: 20 });
  expect(await received(bridge, serial, 'cmd')).toMatchObject([{ id }]);
});

test('what has ended is not handed out', async () => {
  const { id } = await order();
  const restart = await order('reboot');
  await age(db, 3601);
  expect(await ask()).toEqual({ commands: [], desired: {}, desired_version: 0 });
  expect(await post()).toEqual([false]);
  await expire(db);
  expect([await stateOf(id), await stateOf(restart.id)]).toEqual(['expired', 'expired']);
});

describe('a restart', () => {
  test('is asked for once, with the answer to telemetry', async () => {
    const { id } = await order('reboot');
    expect(await post([2])).toEqual([true]);
    expect(await commandOf(db, id)).toMatchObject({ state: 'sent', sent_door: 'https' });
    expect(await post()).toEqual([false]);
  });

  test('is asked for by the first of several requests that bring a packet', async () => {
    await order('reboot');
    expect(await post([0, 1, 1])).toEqual([false, true, false]);
  });

  test('is asked for once when the device asks for commands; those come next time', async () => {
    const other = await order();
    await order('reboot');
    expect(await ask()).toMatchObject({ reboot: true, commands: [] });
    expect(await stateOf(other.id)).toBe('queued');
    const next = await ask();
    expect(next.commands).toMatchObject([{ id: other.id }]);
    expect(next).not.toHaveProperty('reboot');
  });

  test('is asked for when telemetry takes the slow way, too', async () => {
    await order('reboot');
    expect((await push()).reboot).toBe(true);
    expect((await push()).reboot).toBe(false);
  });

  test('that was ordered twice is one restart', async () => {
    const { id } = await order('reboot');
    const again = await order('reboot');
    expect([await post(), await post()]).toEqual([[true], [false]]);
    expect([await stateOf(id), await stateOf(again.id)]).toEqual(['acknowledged', 'acknowledged']);
  });

  test('counts as done when the device is heard again', async () => {
    const { id } = await order('reboot');
    await ask();
    expect(await stateOf(id)).toBe('sent');
    await post();
    expect(await stateOf(id)).toBe('acknowledged');
  });

  test('is never for whoever pushes telemetry on a device’s behalf', async () => {
    await order('reboot');
    const result = await db.as(world.apiKey, (session) =>
      session.value('select ec.push_telemetry($1, $2::json, $3::json)', [
        serial,
        JSON.stringify([{ d: { temp: 20 }, r: nextArrival(), t: null, q: null }]),
        '[]',
      ]),
    );
    expect(result).toMatchObject({ reboot: false });
    expect(await post()).toEqual([true]);
  });

  test('that is on its way through the broker is not asked for here as well', async () => {
    await telemetry(db, serial, { temp: 20 });
    await order('reboot');
    expect(await post()).toEqual([false]);
    await publish(bridge);
    expect(await ask()).not.toHaveProperty('reboot');
  });
});

test('nobody but the device itself asks or acknowledges; ids of other devices are missing', async () => {
  const { id } = await order();
  const foreign: Actor[] = [world.orgAdmin, world.apiKey, { device: world.org.device.id }, 'nobody'];
  for (const actor of foreign) {
    await expectRefusal(ask(actor), 'EC404', 'not_found');
    await expectRefusal(
      db.as(actor, (session) => session.value('select ec.acknowledge_command($1, $2, true)', [serial, id])),
      'EC404',
      'not_found',
    );
  }
  const foreignId = db.as({ device: world.org.device.id }, (session) =>
    session.value('select ec.acknowledge_command($1, $2, true)', [world.org.device.serial, id]),
  );
  await expectRefusal(foreignId, 'EC404', 'not_found');
  expect(await stateOf(id)).toBe('queued');
});
