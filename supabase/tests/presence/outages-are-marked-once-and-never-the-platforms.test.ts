import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { makeDevices, makeFleetOrg, type FleetDevice } from '../harness/fleet.ts';

let db: Database;
let devices: FleetDevice[];
const NOON = Date.now() + 86_400_000;
const MINUTE = 60_000;
beforeAll(async () => {
  db = await openDatabase();
  devices = await makeDevices(db, (await makeFleetOrg(db)).id, 3);
  await db.query(`update public.devices set lifecycle = 'active'`);
});
afterAll(() => db.drop());

const seen = (device: FleetDevice, at: number, door = 'mqtt'): Promise<unknown> =>
  db.query(
    'update public.device_state set last_seen = to_timestamp($2::float8 / 1000), last_door = $3 where device_num = $1',
    [device.num, at, door],
  );
const beat = (at: number): Promise<unknown> =>
  db.query(`select ec.record_heartbeat('bridge:test', to_timestamp($1::float8 / 1000))`, [at]);
const beatUntil = async (from: number, to: number): Promise<void> => {
  for (let at = from; at <= to; at += MINUTE / 2) await beat(at);
};
const mark = (at: number): Promise<{ offline: number[]; recovered: number[] }> =>
  db.value('select ec.mark_offline(to_timestamp($1::float8 / 1000))', [at]);

test('silence of 15 minutes marks an outage once, and the next message ends it', async () => {
  const [quiet, lively] = devices as [FleetDevice, FleetDevice, FleetDevice];
  await beatUntil(NOON - 30 * MINUTE, NOON + 20 * MINUTE);
  await seen(quiet, NOON);
  await seen(lively, NOON + 14 * MINUTE);
  const at = NOON + 15 * MINUTE;
  expect(await mark(at - 1)).toEqual({ offline: [], recovered: [] });
  await beatUntil(NOON + 20 * MINUTE, NOON + 20 * MINUTE);
  expect(await mark(at)).toEqual({ offline: [quiet.num], recovered: [] });
  expect(await mark(at + MINUTE)).toEqual({ offline: [], recovered: [] });
  await seen(quiet, at + 2 * MINUTE);
  expect(await mark(at + 3 * MINUTE)).toEqual({ offline: [], recovered: [quiet.num] });
});

test('a device that may sleep longer has longer', async () => {
  const sleeper = devices[2]!;
  await db.query('update public.devices set online_window_s = 7200 where id = $1', [sleeper.id]);
  const start = NOON + 60 * MINUTE;
  await seen(sleeper, start);
  for (const device of devices.slice(0, 2)) await seen(device, start + 24 * 60 * MINUTE);
  await beatUntil(NOON + 20 * MINUTE, start + 121 * MINUTE);
  expect(await mark(start + 119 * MINUTE)).toMatchObject({ offline: [] });
  expect(await mark(start + 120 * MINUTE)).toMatchObject({ offline: [sleeper.num] });
});

test('a bridge that was down marks nobody until devices had their time again', async () => {
  const device = devices[0]!;
  const start = NOON + 48 * 60 * MINUTE;
  for (const each of devices) await seen(each, start);
  await beatUntil(start - 30 * MINUTE, start);
  expect(await mark(start + 40 * MINUTE), 'down now').toMatchObject({ offline: [] });
  await beatUntil(start + 40 * MINUTE, start + 54 * MINUTE);
  expect(await mark(start + 54 * MINUTE), 'up for 14 minutes').toMatchObject({ offline: [] });
  await beatUntil(start + 54 * MINUTE, start + 56 * MINUTE);
  expect((await mark(start + 56 * MINUTE)).offline).toContain(device.num);
});
