import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import {
  ingest,
  makeDevices,
  makeFleetOrg,
  readRows,
  readState,
  START_US,
  type FleetDevice,
} from '../harness/fleet.ts';

let db: Database;
let org: { id: string; num: number };
beforeAll(async () => {
  db = await openDatabase();
  org = await makeFleetOrg(db);
});
afterAll(() => db.drop());

const one = async (): Promise<FleetDevice> => (await makeDevices(db, org.id, 1))[0]!;
const START_MS = Math.floor(START_US / 1000);

test('without a time the arrival in microseconds is the time', async () => {
  const { serial, num } = await one();
  await ingest(db, [{ s: serial, d: { temp: 20 }, r: START_US, q: 4 }]);
  expect(await readRows(db, num)).toEqual([
    { ts: START_US, received_at: START_US, seq: 4, data: { temp: 20 } },
  ]);
});

test('one (device, time) is stored once: in a batch, across batches, and when a whole call is repeated', async () => {
  const { serial, num } = await one();
  const packet = { s: serial, d: { temp: 20 }, t: START_MS };
  const batch = [
    { ...packet, r: START_US },
    { ...packet, r: START_US + 1, d: { temp: 99 } },
  ];
  expect(await ingest(db, batch)).toMatchObject({ accepted: 1, duplicate: 1, duplicates: [1] });
  expect(await ingest(db, batch)).toMatchObject({ accepted: 0, duplicate: 2, duplicates: [0, 1] });
  const timeless = [{ s: serial, d: { temp: 21 }, r: START_US + 5 }];
  expect(await ingest(db, timeless)).toMatchObject({ accepted: 1 });
  expect(await ingest(db, timeless)).toMatchObject({ accepted: 0, duplicate: 1 });
  expect((await readRows(db, num)).map(({ data }) => data)).toEqual([{ temp: 20 }, { temp: 21 }]);
});

test('two packets without a time that arrive in the same microsecond are both stored', async () => {
  const { serial, num } = await one();
  const at = (temp: number) => ({ s: serial, d: { temp }, r: START_US });
  expect(await ingest(db, [at(1), at(1), at(2)])).toMatchObject({ accepted: 3, duplicate: 0 });
  expect(await ingest(db, [at(7)])).toMatchObject({ accepted: 1, duplicate: 0 });
  const rows = await readRows(db, num);
  expect(rows.map(({ ts, data }) => [Number(ts) - START_US, (data as { temp: number }).temp])).toEqual([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 7],
  ]);
});

test('a re-delivered packet is recognised among the last 64 of its device, and only there', async () => {
  const { serial, num } = await one();
  const history = Array.from({ length: 65 }, (_, n) => ({ s: serial, d: { n }, r: START_US + n, q: n }));
  await ingest(db, history);
  const again = (n: number, q = n) => ({ s: serial, d: { n }, r: START_US + 1000 + n, q, dup: true });
  expect(await ingest(db, [again(64), again(1)])).toMatchObject({ accepted: 0, duplicates: [0, 1] });
  expect(await ingest(db, [again(64, 999)]), 'another seq is another packet').toMatchObject({ accepted: 1 });
  expect(await ingest(db, [again(1)]), 'the 65th is forgotten').toMatchObject({ accepted: 1 });
  expect(
    await ingest(db, [{ ...again(1), r: START_US + 5000 }]),
    'and found again once stored',
  ).toMatchObject({
    duplicate: 1,
  });
  expect(await readRows(db, num)).toHaveLength(67);
});

test('a re-delivered packet is compared with those before it in its batch, also between other devices', async () => {
  const [a, b] = (await makeDevices(db, org.id, 2)) as [FleetDevice, FleetDevice];
  const outcome = await ingest(db, [
    { s: a.serial, d: { temp: 1 }, r: START_US },
    { s: b.serial, d: { temp: 1 }, r: START_US + 1, dup: true },
    { s: a.serial, d: { temp: 1 }, r: START_US + 2, dup: true },
    { s: a.serial, d: { temp: 2 }, r: START_US + 3 },
    { s: b.serial, d: { temp: 1 }, r: START_US + 4, dup: true },
    { s: a.serial, d: { temp: 1 }, r: START_US + 5 },
  ]);
  expect(outcome).toMatchObject({ accepted: 4, duplicates: [2, 4] });
});

test('an equal packet that is not marked as re-delivered is a reading of its own', async () => {
  const { serial, num } = await one();
  await ingest(db, [{ s: serial, d: { temp: 20 }, r: START_US }]);
  await ingest(db, [{ s: serial, d: { temp: 20 }, r: START_US + 5_000_000 }]);
  expect(await readRows(db, num)).toHaveLength(2);
});

test('late data is stored, counts as seen, and moves neither current values nor windows nor deviations', async () => {
  const { serial, num } = await one();
  const usual = Array.from({ length: 30 }, (_, n) => ({
    s: serial,
    d: { temp: 20 },
    r: START_US + n * 1000,
    t: START_MS + n,
  }));
  await ingest(db, usual);
  const before = await readState(db, num);
  const late = { s: serial, d: { temp: 80, extra: 1 }, r: START_US + 60_000_000, t: START_MS - 3_600_000 };
  expect(await ingest(db, [late])).toMatchObject({ accepted: 1 });
  expect(
    await ingest(db, [
      { ...late, t: START_MS - 1_800_000 },
      { ...late, t: START_MS - 1_700_000 },
    ]),
  ).toMatchObject({ accepted: 2 });
  expect(await readState(db, num)).toEqual({ ...before, last_seen: late.r, last_telemetry_at: late.r });
  expect(await db.query('select 1 from public.deviations where device_num = $1', [num])).toEqual([]);
  expect(await readRows(db, num)).toHaveLength(33);
});

test('keys keep their value and their time until a packet brings them again', async () => {
  const { serial, num } = await one();
  const send = (d: Record<string, unknown>, s: number) =>
    ingest(db, [{ s: serial, d, r: START_US + s * 1e6, t: START_MS + s * 1000 }]);
  await send({ temp: 20, relay: false }, 0);
  await send({ temp: 21 }, 5);
  await send({ temp: 22 }, 10);
  expect(await readState(db, num)).toMatchObject({
    reported: { temp: 22, relay: false },
    older: { relay: new Date(START_MS).toISOString() },
    reported_version: 3,
  });
  await send({ temp: 23, relay: true }, 15);
  expect(await readState(db, num)).toMatchObject({ reported: { temp: 23, relay: true }, older: {} });
});

test('the first packet makes the device active and its credential used', async () => {
  const { serial, id } = await one();
  const read = () =>
    db.value('select to_jsonb(d) from (select lifecycle, activated_at from public.devices where id = $1) d', [
      id,
    ]);
  expect(await read()).toEqual({ lifecycle: 'manufactured', activated_at: null });
  await ingest(db, [{ s: serial, d: { temp: 1 }, r: START_US }]);
  const active = await read();
  expect(active).toEqual({ lifecycle: 'active', activated_at: expect.any(String) });
  await ingest(db, [{ s: serial, d: { temp: 1 }, r: START_US + 1 }]);
  expect(await read()).toEqual(active);
});

test('unknown serials are refused, become dead letters, and cost their neighbours nothing', async () => {
  const { serial } = await one();
  const outcome = await ingest(db, [
    { s: 'NOBODY-1', d: { temp: 1 }, r: START_US },
    { s: serial, d: { temp: 1 }, r: START_US },
    { s: 'NOBODY-1', d: { temp: 2 }, r: START_US + 1 },
  ]);
  expect(outcome).toEqual({
    accepted: 1,
    duplicate: 0,
    duplicates: [],
    rejected: 2,
    rejects: [
      { i: 0, reason: 'unknown_device' },
      { i: 2, reason: 'unknown_device' },
    ],
  });
  expect(
    await db.query(
      `select org_id, door, reason, payload from public.dead_letters where serial = 'NOBODY-1' order by id`,
    ),
  ).toEqual([
    { org_id: null, door: 'mqtt', reason: 'unknown_device', payload: '{"temp": 1}' },
    { org_id: null, door: 'mqtt', reason: 'unknown_device', payload: '{"temp": 2}' },
  ]);
});

test('history written behind its back is noticed, not doubled', async () => {
  const { serial, num } = await one();
  const at = START_MS + 1000;
  await db.query(
    `insert into public.telemetry (device_num, ts, org_num, tenure_id, data)
     select device_num, to_timestamp($2::float8 / 1000), org_num, tenure_id, '{"temp": 5}' from public.device_state where device_num = $1`,
    [num, at],
  );
  const outcome = await ingest(db, [
    { s: serial, d: { temp: 1 }, r: START_US, t: START_MS },
    { s: serial, d: { temp: 2 }, r: START_US + 1, t: at },
  ]);
  expect(outcome).toMatchObject({ accepted: 1, duplicates: [1] });
  expect(await ingest(db, [{ s: serial, d: { temp: 2 }, r: START_US + 1, t: at }])).toMatchObject({
    duplicate: 1,
  });
});

test('an empty batch is nothing', async () => {
  expect(await ingest(db, [])).toMatchObject({ accepted: 0, duplicate: 0, rejected: 0 });
});
