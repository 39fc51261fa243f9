import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices, type FleetDevice } from '../harness/fleet.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { publish, report, setDesired, type ShadowReply } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let bridge: Session;
let world: World;
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

const set = (patch: unknown, options = {}): Promise<ShadowReply> =>
  setDesired(db, world.operator, device.serial, patch, options);
const payloads = async (): Promise<[string, unknown, boolean][]> =>
  (await publish(bridge)).map(({ topic, payload, retain }) => [
    topic.replace(`devices/${device.serial}/`, ''),
    JSON.parse(payload),
    retain,
  ]);

test('only the keys that are sent change, at any depth', async () => {
  await set({ relay: true, mode: { fan: 2, heat: { on: true, to: 21 } } });
  const reply = await set({ setpoint: 22, mode: { heat: { to: 23 } } });
  expect(reply).toMatchObject({
    serial: device.serial,
    desired_version: 2,
    desired: { relay: true, setpoint: 22, mode: { fan: 2, heat: { on: true, to: 23 } } },
    reported: {},
    changed: true,
  });
});

test('null removes a key, at any depth, and a key that is not there is no change', async () => {
  await set({ relay: true, mode: { fan: 2, heat: 1 } });
  expect(await set({ relay: null, mode: { fan: null } })).toMatchObject({
    desired: { mode: { heat: 1 } },
    desired_version: 2,
  });
  expect(await set({ never: null, mode: { neither: null } })).toMatchObject({
    desired_version: 2,
    changed: false,
  });
  expect((await set({ fresh: { a: null, b: 1 } })).desired).toEqual({ mode: { heat: 1 }, fresh: { b: 1 } });
});

test('arrays are replaced whole, and an object takes the place of a scalar and the other way round', async () => {
  await set({ steps: [1, { a: 1 }, [2]], mode: 'auto', deep: { a: 1 } });
  expect((await set({ steps: [3], mode: { fan: 1 }, deep: 'off' })).desired).toEqual({
    steps: [3],
    mode: { fan: 1 },
    deep: 'off',
  });
});

test('a change goes out as the retained document on both topics and as a document with its version', async () => {
  await set({ relay: true, text: 'a, b: "c"' }, { token: 'tap-7' });
  const desired = { relay: true, text: 'a, b: "c"' };
  expect(await payloads()).toEqual([
    ['shadow/desired', desired, true],
    ['config', desired, true],
    [
      'shadow/document',
      { version: 1, desired, delta: desired, at: expect.stringMatching(/Z$/), client_token: 'tap-7' },
      false,
    ],
  ]);
});

test('what devices get has no blanks between its parts and keeps those inside texts', async () => {
  await set({ a: 1, text: 'x, y: "z" \\', list: [1, 2] });
  const [first] = await publish(bridge);
  expect(first!.payload).toBe('{"a":1,"list":[1,2],"text":"x, y: \\"z\\" \\\\"}');
});

test('the delta has the keys that differ in reported, by value, with the path to them', async () => {
  await report(db, device.serial, { relay: true, mode: { fan: 1, heat: 5 }, list: [1, 2], own: 'x' });
  const { delta } = await set({
    ...{ relay: true, level: 1.5, list: [2, 1] },
    mode: { fan: 1.0, heat: 6, cool: { to: 18 } },
  });
  expect(delta).toEqual({ level: 1.5, list: [2, 1], mode: { heat: 6, cool: { to: 18 } } });
  await report(db, device.serial, { level: 1.5, list: [2, 1], mode: { heat: 6, cool: { to: 18.0 } } });
  expect((await set({})).delta).toEqual({});
});

test('the same wish again keeps the version, and is sent again until the device follows', async () => {
  await set({ relay: true });
  await payloads();
  expect(await set({ relay: true })).toMatchObject({ desired_version: 1, changed: false });
  expect((await payloads()).map(([kind]) => kind)).toEqual(['shadow/desired', 'config', 'shadow/document']);
  await report(db, device.serial, { relay: true });
  expect(await set({ relay: true })).toMatchObject({ desired_version: 1, delta: {} });
  expect(await payloads()).toEqual([]);
});

test('a version that is stale is refused with the current one, and changes nothing', async () => {
  await set({ relay: true });
  expect((await set({ relay: false }, { ifMatch: 1 })).desired_version).toBe(2);
  await payloads();
  const refusal = await expectRefusal(set({ relay: true }, { ifMatch: 1 }), 'EC409', 'stale_version');
  expect(refusal.hint).toMatchObject({ desired_version: 2 });
  expect(await payloads()).toEqual([]);
  expect((await set({})).desired).toEqual({ relay: false });
});

test('the client token comes back, up to 64 bytes', async () => {
  expect((await set({ relay: true }, { token: 'x'.repeat(64) })).client_token).toBe('x'.repeat(64));
  expect(await set({ relay: false })).not.toHaveProperty('client_token');
  await expectRefusal(set({ relay: true }, { token: 'é'.repeat(33) }), 'EC400', 'invalid_request');
});

test('each key carries the time of its own last change', async () => {
  const first = await set({ relay: true, mode: { fan: 1, heat: 2 }, list: [1] });
  const { relay, mode, list } = first.desired_times as Record<string, string> & {
    mode: Record<string, string>;
  };
  expect(new Set([relay, mode.fan, mode.heat, list]).size).toBe(1);
  expect(Math.abs(Date.parse(relay!) - Date.now())).toBeLessThan(10_000);
  const old = '2026-01-01T00:00:00.000Z';
  await db.query('update public.devices set desired_times = $2 where id = $1', [
    device.id,
    { relay: old, mode: { fan: old, heat: old }, list: old },
  ]);
  const second = await set({ relay: true, mode: { heat: 3 }, extra: 1 });
  expect(second.desired_times).toEqual({
    ...{ relay: old, list: old, extra: expect.not.stringMatching(old) },
    mode: { fan: old, heat: expect.not.stringMatching(old) },
  });
  expect((await set({ mode: null })).desired_times).not.toHaveProperty('mode');
});

test('telemetry and reported documents never touch desired or its version', async () => {
  await set({ relay: true });
  await report(db, device.serial, { relay: false });
  expect(await set({})).toMatchObject({
    ...{ desired: { relay: true }, desired_version: 1 },
    ...{ reported: { relay: false }, delta: { relay: true } },
  });
});

test('a device that asks gets its document, whoever else asks in the same breath', async () => {
  await set({ relay: true });
  await report(db, device.serial, { relay: false });
  await payloads();
  expect(await bridge.value('select ec.answer_shadow_get($1)', [[device.serial, 'NOBODY-1']])).toBe(1);
  expect(await payloads()).toEqual([
    [
      'shadow/document',
      { version: 1, desired: { relay: true }, delta: { relay: true }, at: expect.any(String) },
      false,
    ],
  ]);
});

test('the audit log says who changed which key from what to what', async () => {
  await set({ relay: true, setpoint: 20 });
  await set({ relay: false, setpoint: null });
  await set({ relay: false });
  const rows = await db.query(
    `select actor_kind, before, after from public.audit_log
     where action = 'shadow_desired_changed' and target_id = $1 order by id`,
    [device.serial],
  );
  expect(rows).toEqual([
    { actor_kind: 'user', before: null, after: { relay: true, setpoint: 20 } },
    { actor_kind: 'user', before: { relay: true, setpoint: 20 }, after: { relay: false } },
  ]);
});
