import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import {
  ingest,
  makeDevices,
  makeFleetOrg,
  readState,
  START_US,
  type FleetDevice,
} from '../harness/fleet.ts';

let db: Database;
let org: { id: string };
beforeAll(async () => {
  db = await openDatabase();
  org = await makeFleetOrg(db);
});
afterAll(() => db.drop());

const one = async (): Promise<FleetDevice> => (await makeDevices(db, org.id, 1))[0]!;
const status = (items: { s: string; online: boolean; r: number }[]): Promise<unknown> =>
  db.query('select ec.record_status($1::json)', [JSON.stringify(items)]);
const reported = (
  items: { s: string; d: Record<string, unknown>; r: number; door?: string }[],
): Promise<unknown> => db.query('select ec.record_reported($1::json)', [JSON.stringify(items)]);

test('birth connects and counts as seen; the will disconnects and does not', async () => {
  const { serial, num } = await one();
  await status([{ s: serial, online: true, r: START_US }]);
  expect(await readState(db, num)).toMatchObject({
    connected: true,
    connected_changed_at: START_US,
    last_seen: START_US,
    last_telemetry_at: null,
  });
  await status([{ s: serial, online: false, r: START_US + 1000 }]);
  expect(await readState(db, num)).toMatchObject({
    connected: false,
    connected_changed_at: START_US + 1000,
    last_seen: START_US,
  });
});

test('telemetry connects too, through MQTT only, and a will that comes after newer telemetry changes nothing', async () => {
  const { serial, num } = await one();
  await ingest(db, [{ s: serial, d: { temp: 1 }, r: START_US }], 'https');
  expect(await readState(db, num)).toMatchObject({
    connected: false,
    last_seen: START_US,
    last_telemetry_at: START_US,
  });
  await ingest(db, [{ s: serial, d: { temp: 1 }, r: START_US + 2000 }]);
  await status([{ s: serial, online: false, r: START_US + 1000 }]);
  expect(await readState(db, num)).toMatchObject({ connected: true, connected_changed_at: START_US + 2000 });
});

test('several messages of one device in a call are judged in their order', async () => {
  const { serial, num } = await one();
  await status([
    { s: serial, online: true, r: START_US },
    { s: serial, online: false, r: START_US + 10 },
    { s: serial, online: true, r: START_US + 20 },
  ]);
  expect(await readState(db, num)).toMatchObject({ connected: true, connected_changed_at: START_US + 20 });
  await status([
    { s: serial, online: true, r: START_US + 30 },
    { s: serial, online: false, r: START_US + 40 },
    { s: 'NOBODY-1', online: true, r: START_US },
  ]);
  expect(await readState(db, num)).toMatchObject({ connected: false, last_seen: START_US + 30 });
});

test('a reported document merges, null removes, and its keys carry its time until telemetry brings them', async () => {
  const { serial, num } = await one();
  await ingest(db, [{ s: serial, d: { temp: 20, relay: false }, r: START_US }]);
  await reported([
    { s: serial, d: { relay: true, setpoint: 21, gone: 1 }, r: START_US + 5e6 },
    { s: serial, d: { gone: null }, r: START_US + 6e6 },
  ]);
  const at = new Date((START_US + 5e6) / 1000).toISOString();
  expect(await readState(db, num)).toMatchObject({
    reported: { temp: 20, relay: true, setpoint: 21 },
    older: { relay: at, setpoint: at },
    reported_version: 3,
    last_seen: START_US + 6e6,
    last_telemetry_at: START_US,
  });
  await ingest(db, [{ s: serial, d: { temp: 21, relay: true }, r: START_US + 10e6 }]);
  await ingest(db, [{ s: serial, d: { temp: 22, relay: true }, r: START_US + 15e6 }]);
  expect(await readState(db, num)).toMatchObject({
    reported: { temp: 22, relay: true, setpoint: 21 },
    older: { setpoint: at },
  });
});

test('what a device reports is never lost by packets of another shape', async () => {
  const { serial, num } = await one();
  const shapes = [
    { temp: 1 },
    { temp: 2, hum: 3 },
    { temp: 4 },
    { hum: 5 },
    { temp: 6, hum: 7, co2: 8 },
    { temp: 9, hum: 10 },
  ];
  for (const [n, d] of shapes.entries()) await ingest(db, [{ s: serial, d, r: START_US + n * 1e6 }]);
  expect(await readState(db, num)).toMatchObject({
    reported: { temp: 9, hum: 10, co2: 8 },
    older: { co2: expect.any(String) },
  });
});
