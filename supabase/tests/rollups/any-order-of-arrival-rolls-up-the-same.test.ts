import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import {
  ingest,
  makeDevices,
  makeFleetOrg,
  START_US,
  type FleetDevice,
  type Item,
} from '../harness/fleet.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
type Point = { t: number; d: Record<string, number> };
type Rolled = { bucket: number; key: string; n: number; lo: number; hi: number; total: number };

function rollUp(points: Point[], bucketOf: (t: number) => number): Rolled[] {
  const groups = new Map<string, Rolled>();
  for (const { t, d } of points)
    for (const [key, value] of Object.entries(d)) {
      const bucket = bucketOf(t);
      const g = groups.get(`${bucket} ${key}`) ?? { bucket, key, n: 0, lo: value, hi: value, total: 0 };
      groups.set(`${bucket} ${key}`, {
        ...g,
        n: g.n + 1,
        lo: Math.min(g.lo, value),
        hi: Math.max(g.hi, value),
        total: g.total + value,
      });
    }
  return [...groups.values()].toSorted((a, b) => a.bucket - b.bucket || (a.key < b.key ? -1 : 1));
}

const stored = async (level: string, num: number): Promise<Rolled[]> =>
  rounded(
    await db.value(
      `select coalesce(jsonb_agg(jsonb_build_object('bucket', (extract(epoch from bucket) * 1000)::bigint, 'key', e.key, 'n', e.n,
       'lo', e.lo, 'hi', e.hi, 'total', e.total) order by bucket, e.key), '[]')
     from public.rollups_${level} cross join lateral unnest(keys, counts, mins, maxs, sums) as e (key, n, lo, hi, total)
     where device_num = $1`,
      [num],
    ),
  );
/** Sums are the same up to the order of their additions. */
const rounded = (rows: Rolled[]): Rolled[] =>
  rows.map((row) => ({ ...row, total: Number(row.total.toFixed(6)) }));
const run = (at: number): Promise<number> =>
  db.value('select ec.run_rollups(to_timestamp($1::float8 / 1000))', [at]);
const toItems = (serial: string, points: Point[]): Item[] =>
  points.map(({ t, d }, n) => ({ s: serial, d, t, r: START_US + n }));

/** Clocks in New York go back on 1 November 2026: that day has 25 hours. */
const DAY_STARTS = ['2026-10-31T04:00Z', '2026-11-01T04:00Z', '2026-11-02T05:00Z', '2026-11-03T05:00Z'].map(
  Date.parse,
);

test('late, out-of-order and repeated data leave the roll-ups of data in order, over a day of 25 hours', async () => {
  const org = await makeFleetOrg(db, 'America/New_York');
  const [device] = (await makeDevices(db, org.id, 1)) as [FleetDevice];
  const start = DAY_STARTS[0]!;
  const points = Array.from({ length: 900 }, (_, n): Point => {
    const t = start + Math.floor((n / 900) * 72 * HOUR) + ((n * 7919) % 50_000);
    return {
      t,
      d: { temp: (n * 37) % 100, ...(n % 3 === 0 && { hum: n / 7 }), ...(n % 50 === 0 && { co2: -1 - n }) },
    };
  });
  // A third of them comes hours late, after the roll-ups of their time were computed.
  const arrival = points
    .map((point, n) => ({ point, at: point.t + (n % 3 === 1 ? 5 * HOUR : 0) }))
    .toSorted((a, b) => a.at - b.at);
  for (let n = 0; n < arrival.length; n += 60) {
    const part = arrival.slice(n, n + 60);
    await ingest(
      db,
      toItems(
        device.serial,
        part.map(({ point }) => point),
      ),
    );
    if (n % 180 === 0)
      await ingest(
        db,
        toItems(
          device.serial,
          part.map(({ point }) => point),
        ),
      );
    await run(part.at(-1)!.at);
  }
  await run(DAY_STARTS[3]! + HOUR);

  const floor = (size: number) => (t: number) => Math.floor(t / size) * size;
  expect(await stored('1m', device.num)).toEqual(rounded(rollUp(points, floor(MINUTE))));
  expect(await stored('5m', device.num)).toEqual(rounded(rollUp(points, floor(5 * MINUTE))));
  expect(await stored('15m', device.num)).toEqual(rounded(rollUp(points, floor(15 * MINUTE))));
  expect(await stored('1h', device.num)).toEqual(rounded(rollUp(points, floor(HOUR))));
  expect(await stored('1d', device.num)).toEqual(
    rounded(rollUp(points, (t) => DAY_STARTS.findLast((day) => day <= t)!)),
  );
});

test('only what is over is rolled up, and what commits during a run is in the next', async () => {
  const [device] = (await makeDevices(db, (await makeFleetOrg(db)).id, 1)) as [FleetDevice];
  const t = Date.parse('2026-11-10T08:00:00Z');
  const slow = await db.connect('ec_bridge');
  await ingest(
    db,
    toItems(device.serial, [
      { t, d: { temp: 1 } },
      { t: t + MINUTE, d: { temp: 2 } },
    ]),
  );
  await slow.query('begin');
  await ingest(slow, toItems(device.serial, [{ t: t + 1000, d: { temp: 3 } }]));

  await run(t + MINUTE + 30_000);
  expect((await stored('1m', device.num)).map(({ total }) => total)).toEqual([1]);
  expect(await stored('15m', device.num)).toEqual([]);
  await slow.query('commit');
  await run(t + 2 * MINUTE);
  expect((await stored('1m', device.num)).map(({ total }) => total)).toEqual([4, 2]);
  await run(t + 15 * MINUTE);
  expect((await stored('15m', device.num)).map(({ total, n }) => [total, n])).toEqual([[6, 3]]);
});

test('readings of two holders in one minute are rolled up apart', async () => {
  const [first, second] = [await makeFleetOrg(db), await makeFleetOrg(db)];
  const [device] = (await makeDevices(db, first.id, 1)) as [FleetDevice];
  const t = Date.parse('2026-11-10T08:00:00Z');
  await ingest(db, toItems(device.serial, [{ t, d: { temp: 1 } }]));
  await db.query(
    `update public.device_state set org_num = $2, tenure_id = tenure_id + 100000 where device_num = $1`,
    [device.num, second.num],
  );
  await ingest(db, toItems(device.serial, [{ t: t + 1000, d: { temp: 9 } }]));
  await run(t + HOUR);
  expect(
    await db.query(`select org_num, sums from public.rollups_15m where device_num = $1 order by sums`, [
      device.num,
    ]),
  ).toEqual([
    { org_num: first.num, sums: [1] },
    { org_num: second.num, sums: [9] },
  ]);
});

test('rebuilding from raw rows gives what running along gave', async () => {
  const org = await makeFleetOrg(db, 'Asia/Kathmandu');
  const [device] = (await makeDevices(db, org.id, 1)) as [FleetDevice];
  const start = Date.parse('2026-11-12T03:07:00Z');
  const points = Array.from({ length: 400 }, (_, n): Point => ({
    t: start + n * 11 * MINUTE,
    d: { temp: n % 17, bat: n },
  }));
  await ingest(db, toItems(device.serial, points));
  await run(start + 100 * 24 * HOUR);
  const levels = ['1m', '5m', '15m', '1h', '1d'];
  const everything = async (): Promise<Rolled[][]> => {
    const all: Rolled[][] = [];
    for (const level of levels) all.push(await stored(level, device.num));
    return all;
  };
  const along = await everything();
  expect(along.map((rows) => rows.length > 0)).toEqual(levels.map(() => true));

  for (const level of levels)
    await db.query(`delete from public.rollups_${level} where device_num = $1`, [device.num]);
  await db.query(`select ec.rebuild_rollups($1, '2026-11-12', '2026-11-17')`, [[device.num]]);
  expect(await everything()).toEqual(along);
});

test('a second run at the same time steps aside', async () => {
  const other = await db.connect('postgres');
  await other.query('begin');
  await other.query('select ec.run_rollups(now())');
  expect(await run(Date.now())).toBe(-1);
  await other.query('rollback');
});
