import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acknowledge, age, commandOf, send, type Command } from '../harness/commanding.ts';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices, type FleetDevice } from '../harness/fleet.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { claimMessages, finishMessages, loseBridge, publish, received } from '../harness/wire.ts';
import { report, sayOnline, telemetry } from '../harness/wire.ts';
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

const order = (type = 'blink', payload: unknown = { times: 3 }): Promise<Command> =>
  send(db, world.operator, device.serial, type, payload);
const cmds = (): Promise<unknown[]> => received(bridge, device.serial, 'cmd');
const pending = (): Promise<boolean> =>
  db.value('select pending from public.device_state where device_num = $1', [device.num]);

test('a device that is there gets it at once, with id, end and payload, and it is no retained message', async () => {
  await sayOnline(db, device.serial, true);
  const { id, state, expires_at } = await order();
  expect(state).toBe('queued');
  const [message, ...more] = await publish(bridge);
  expect(more).toEqual([]);
  expect(message).toMatchObject({ topic: `devices/${device.serial}/cmd`, retain: false });
  expect(JSON.parse(message!.payload)).toEqual({ id, type: 'blink', payload: { times: 3 }, expires_at });
  expect(message!.expires_at!.toISOString()).toBe(expires_at);
});

test('a command without a payload has none in its message', async () => {
  await sayOnline(db, device.serial, true);
  await order('identify', null);
  expect(Object.keys((await cmds())[0] as object).toSorted()).toEqual(['expires_at', 'id', 'type']);
});

test('it counts as sent when the broker has acknowledged it, not before', async () => {
  await sayOnline(db, device.serial, true);
  const { id } = await order();
  const messages = await claimMessages(bridge);
  expect((await commandOf(db, id)).state).toBe('queued');
  await finishMessages(bridge, messages);
  expect(await commandOf(db, id)).toMatchObject({ state: 'sent', sent_door: 'mqtt' });
});

describe('for a device that is away it waits', () => {
  test.each([
    ['its birth', () => sayOnline(db, device.serial, true)],
    ['its first telemetry', () => telemetry(db, device.serial, { temp: 20 })],
    ['a reported document', () => report(db, device.serial, { relay: true })],
    ['a question for its shadow', () => bridge.query('select ec.answer_shadow_get($1)', [[device.serial]])],
  ])('until %s', async (_what, sign) => {
    const first = await order('first');
    const second = await order('second');
    expect(await cmds()).toEqual([]);
    await sign();
    expect(await cmds()).toMatchObject([
      { id: first.id, type: 'first' },
      { id: second.id, type: 'second' },
    ]);
    await telemetry(db, device.serial, { temp: 21 });
    expect(await cmds(), 'only once').toEqual([]);
  });

  test('also when telemetry comes in a large batch, or as a packet it had sent before', async () => {
    const { id } = await order();
    const batch = Array.from({ length: 40 }, (_, i) => ({
      ...{ i, s: device.serial, d: { temp: i }, r: Date.now() * 1000 + i },
      ...{ t: null, q: i, dup: i === 7 },
    }));
    await db.query('select ec.ingest_telemetry($1::json, $2)', [JSON.stringify(batch), 'mqtt']);
    expect(await cmds()).toMatchObject([{ id }]);
  });

  test('and its last will is no sign of life', async () => {
    await sayOnline(db, device.serial, true);
    await sayOnline(db, device.serial, false);
    await db.query(
      `update public.device_state set last_seen = now() - interval '1 hour' where device_num = $1`,
      [device.num],
    );
    await order();
    await sayOnline(db, device.serial, false);
    expect(await cmds()).toEqual([]);
  });
});

describe('a device is there', () => {
  const silentFor = (seconds: number): Promise<unknown> =>
    db.query(
      'update public.device_state set last_seen = last_seen - make_interval(secs => $2) where device_num = $1',
      [device.num, seconds],
    );

  test('between its birth and its goodbye, however silent it is', async () => {
    await sayOnline(db, device.serial, true);
    await silentFor(3_600);
    await order();
    expect(await cmds()).toHaveLength(1);
  });

  test('no more once it said goodbye, however short ago it was seen', async () => {
    await telemetry(db, device.serial, { temp: 20 });
    await sayOnline(db, device.serial, false);
    const { id } = await order();
    expect(await cmds()).toEqual([]);
    expect(await commandOf(db, id)).toMatchObject({ state: 'queued', sent_at: null });
    await sayOnline(db, device.serial, true);
    expect(await cmds()).toMatchObject([{ id }]);
  });

  test('within its online window when it never says anything about itself', async () => {
    await telemetry(db, device.serial, { temp: 20 });
    await order('first');
    expect(await cmds()).toHaveLength(1);
    await silentFor(3_600);
    await order('second');
    expect(await cmds()).toEqual([]);
  });

  test('over HTTPS never: it asks', async () => {
    await telemetry(db, device.serial, { temp: 20 }, 'https');
    await order();
    expect(await cmds()).toEqual([]);
  });
});

describe('at its return a device gets again', () => {
  const returns = async (): Promise<void> => {
    await sayOnline(db, device.serial, false);
    await sayOnline(db, device.serial, true);
  };

  test('at once what it may have missed, under the same id, and nothing it has answered', async () => {
    await sayOnline(db, device.serial, true);
    const [missed, done] = [await order('missed'), await order('done')];
    await publish(bridge);
    await acknowledge(bridge, device.serial, { id: done.id, ok: true });
    await returns();
    expect(await cmds()).toMatchObject([{ id: missed.id }]);
    await telemetry(db, device.serial, { temp: 20 });
    expect(await cmds(), 'only once').toEqual([]);
  });

  test('no restart', async () => {
    await sayOnline(db, device.serial, true);
    await order('reboot', null);
    await publish(bridge);
    await returns();
    expect(await cmds()).toEqual([]);
  });

  test('nothing whose time is over', async () => {
    await sayOnline(db, device.serial, true);
    await order();
    await publish(bridge);
    await db.query('update public.device_commands set expires_at = now() where device_num = $1', [
      device.num,
    ]);
    await returns();
    expect(await cmds()).toEqual([]);
  });
});

test('one that is not acknowledged is sent again when its device is seen, ever more rarely', async () => {
  await sayOnline(db, device.serial, true);
  const { id } = await order();
  await cmds();
  for (const seconds of [29, 59, 119]) {
    await age(db, seconds);
    await telemetry(db, device.serial, { temp: 20 });
    expect(await cmds(), `after ${seconds} s`).toEqual([]);
    await age(db, 2);
    expect(await cmds(), 'silence').toEqual([]);
    await telemetry(db, device.serial, { temp: 20 });
    expect(await cmds()).toMatchObject([{ id }]);
  }
  await acknowledge(bridge, device.serial, { id, ok: true });
  await age(db, 600);
  await telemetry(db, device.serial, { temp: 20 });
  expect(await cmds()).toEqual([]);
});

test('a restart is sent once, acknowledged or not', async () => {
  await sayOnline(db, device.serial, true);
  await order('reboot', null);
  expect(await cmds()).toHaveLength(1);
  await age(db, 600);
  await telemetry(db, device.serial, { temp: 20 });
  expect(await cmds()).toEqual([]);
});

test('a bridge that dies before the broker answered sends it again, under the same id', async () => {
  await sayOnline(db, device.serial, true);
  const { id } = await order('reboot', null);
  await claimMessages(bridge, 'dying');
  await loseBridge(db);
  expect(await cmds()).toMatchObject([{ id }]);
  expect(await cmds()).toEqual([]);
});

test('nothing marks the device any more once nothing waits for it', async () => {
  expect(await pending()).toBe(false);
  const { id } = await order();
  expect(await pending()).toBe(true);
  await sayOnline(db, device.serial, true);
  await cmds();
  expect(await pending(), 'may have to be sent again').toBe(true);
  await acknowledge(bridge, device.serial, { id, ok: true });
  await telemetry(db, device.serial, { temp: 20 });
  expect(await pending()).toBe(false);
});

describe('taking it back', () => {
  const cancel = (id: string): Promise<Command> =>
    db.as(world.operator, (session) =>
      session.value('select ec.cancel_command($1, $2)', [device.serial, id]),
    );

  test('works while nobody has sent it, on its way to the broker included', async () => {
    const waiting = await order();
    expect(await cancel(waiting.id)).toMatchObject({ state: 'failed', reason: 'cancelled' });
    await sayOnline(db, device.serial, true);
    expect(await cmds()).toEqual([]);
    const onItsWay = await order();
    expect(await cancel(onItsWay.id)).toMatchObject({ state: 'failed' });
    expect(await cmds()).toEqual([]);
  });

  test('is refused once a bridge has it, or it has ended', async () => {
    await sayOnline(db, device.serial, true);
    const { id } = await order();
    const messages = await claimMessages(bridge);
    await expectRefusal(cancel(id), 'EC409', 'conflict');
    await finishMessages(bridge, messages);
    await expectRefusal(cancel(id), 'EC409', 'conflict');
    await acknowledge(bridge, device.serial, { id, ok: true });
    const refusal = await expectRefusal(cancel(id), 'EC409', 'conflict');
    expect(refusal.hint).toEqual({ state: 'acknowledged' });
  });
});

test('a hundred may wait for a device, no more', async () => {
  await db.query(
    `insert into public.device_commands (device_id, device_num, serial, org_id, tenure_id, type, created_by_kind, expires_at)
     select d.id, d.num, d.serial, d.org_id, d.tenure_id, 'x', 'system', now() + interval '1 hour'
     from public.devices d, generate_series(1, 99) where d.num = $1`,
    [device.num],
  );
  await order();
  await expectRefusal(order(), 'EC409', 'conflict');
});

describe('refused are', () => {
  test.each([
    ['Reboot', 60],
    ['', 60],
    ['a b', 60],
    ['x'.repeat(41), 60],
    ['blink', 4],
    ['blink', 604_801],
  ])('the type "%s" for %i seconds', async (type, seconds) => {
    await expectRefusal(
      send(db, world.operator, device.serial, type, null, seconds),
      'EC400',
      'invalid_request',
    );
  });

  test('more than 4 KB of payload, and nothing up to that', async () => {
    expect((await order('blink', 'x'.repeat(4094))).payload).toHaveLength(4094);
    await expectRefusal(order('blink', 'x'.repeat(4095)), 'EC413', 'too_large');
  });
});
