import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { ingest, makeDevices, makeFleetOrg, type FleetDevice } from '../harness/fleet.ts';
import { makeMember } from '../harness/world.ts';

type Point = [number, number, number, number] | null;
interface Buckets {
  bucket_s: number;
  from: string;
  to: string;
  series: Record<string, Point[]>;
}

let db: Database;
let org: { id: string; num: number };
let viewer: Actor;
const NOW = Math.floor(Date.now() / 60_000) * 60_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
beforeAll(async () => {
  db = await openDatabase();
  org = await makeFleetOrg(db);
  viewer = await makeMember(db, 'viewer', 'viewer', { org: org.id });
});
afterAll(() => db.drop());

const one = async (): Promise<FleetDevice> => (await makeDevices(db, org.id, 1))[0]!;
const read = (
  serial: string,
  hours: number,
  actor = viewer,
  metrics: string[] | null = null,
): Promise<Buckets> =>
  db.as(actor, (session) =>
    session.value('select ec.telemetry_buckets($1, $2, $3)', [serial, hours, metrics]),
  );
const store = async (
  serial: string,
  times: number[],
  data: (n: number) => Record<string, unknown>,
): Promise<void> => {
  for (let start = 0; start < times.length; start += 1000)
    await ingest(
      db,
      times.slice(start, start + 1000).map((t, n) => ({ s: serial, d: data(start + n), t, r: t * 1000 })),
    );
};
const every = (step: number, from: number, to: number): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, n) => from + n * step);
const values = (points: Point[] | undefined): [number, number, number, number][] =>
  (points ?? []).filter((point) => point !== null);

test.each([1, 6, 24, 168])(
  '%i hours: at most 600 points, in order, none lost between rolled up and raw data',
  async (hours) => {
    const { serial } = await one();
    const times = every(hours * 5000, NOW - hours * HOUR + 5 * MINUTE, NOW);
    await store(serial, times, (n) => ({ temp: n, hum: -n, relay: true, note: 'x', gps: { lat: 1 } }));
    for (const rolled of [false, true]) {
      if (rolled)
        await db.query('select ec.run_rollups(to_timestamp($1::float8 / 1000))', [NOW - 10 * MINUTE]);
      const { series, bucket_s } = await read(serial, hours);
      expect(Object.keys(series)).toEqual(['hum', 'temp']);
      const points = values(series['temp']);
      expect(series['temp']!.length).toBeLessThanOrEqual(600);
      expect(points.length).toBeGreaterThan(60);
      expect(points.map(([t]) => t)).toEqual(points.map(([t]) => t).toSorted((a, b) => a - b));
      expect(Math.min(...points.map(([, min]) => min))).toBe(0);
      expect(points.at(-1)![3]).toBe(times.length - 1);
      for (const [t, min, avg, max] of points) {
        const inside = times
          .map((time, n) => [time, n] as const)
          .filter(([time]) => time >= t && time < t + bucket_s * 1000)
          .map(([, n]) => n);
        expect([min, max]).toEqual([Math.min(...inside), Math.max(...inside)]);
        expect(avg).toBeCloseTo(inside.reduce((sum, n) => sum + n, 0) / inside.length, 6);
      }
    }
  },
);

test('a gap in the data is a gap in the line, and a slow rhythm is none', async () => {
  const [steady, slow] = [await one(), await one()];
  await store(
    steady.serial,
    [...every(5000, NOW - 50 * MINUTE, NOW - 40 * MINUTE), ...every(5000, NOW - 20 * MINUTE, NOW)],
    () => ({ temp: 1 }),
  );
  const line = (await read(steady.serial, 1)).series['temp']!;
  expect(line.filter((point) => point === null)).toHaveLength(1);
  const gap = line.indexOf(null);
  expect([line[gap - 1]![0], line[gap + 1]![0]]).toEqual([NOW - 40 * MINUTE - 10_000, NOW - 20 * MINUTE]);

  await store(slow.serial, every(4 * MINUTE, NOW - 56 * MINUTE, NOW), () => ({ temp: 1 }));
  expect((await read(slow.serial, 1)).series['temp']).not.toContain(null);
});

test('data that arrives late is on the chart at once and stays there when it is rolled up', async () => {
  const { serial } = await one();
  await store(serial, every(MINUTE, NOW - 5 * HOUR, NOW), () => ({ temp: 1 }));
  await db.query('select ec.run_rollups(to_timestamp($1::float8 / 1000))', [NOW + MINUTE]);
  await store(serial, [NOW - 3 * HOUR + 1], () => ({ temp: 99 }));
  for (const rolled of [false, true]) {
    if (rolled) await db.query('select ec.run_rollups(to_timestamp($1::float8 / 1000))', [NOW + MINUTE]);
    for (const hours of [6, 24, 168]) {
      const points = values((await read(serial, hours)).series['temp']);
      expect(Math.max(...points.map(([, , , max]) => max))).toBe(99);
      expect(
        points.filter(([, min]) => min !== 1),
        'its neighbours stay',
      ).toEqual([]);
    }
  }
});

test('only the asked metrics, only a span one may ask for, and a device of nobody else', async () => {
  const { serial } = await one();
  await store(serial, [NOW - MINUTE], () => ({ temp: 1, hum: 2 }));
  expect(Object.keys((await read(serial, 1, viewer, ['hum', 'nothing'])).series)).toEqual(['hum']);
  const stranger = await makeMember(db, 'stranger', 'org_admin', { org: (await makeFleetOrg(db)).id });
  await expect(read(serial, 1, stranger)).rejects.toMatchObject({ code: 'EC404' });
  await expect(read('NOBODY-1', 1)).rejects.toMatchObject({ code: 'EC404' });
  await expect(
    db.as(viewer, (session) =>
      session.query(`select ec.telemetry_buckets($1, 1, null, now(), now() - interval '1 hour')`, [serial]),
    ),
  ).rejects.toMatchObject({ code: 'EC400' });
});

test('a span of one’s own zooms in on raw data and out to quarters of an hour', async () => {
  const { serial } = await one();
  await store(serial, every(1000, NOW - 10 * MINUTE, NOW - 5 * MINUTE), (n) => ({ temp: n }));
  const between = (from: number, to: number): Promise<Buckets> =>
    db.as(viewer, (session) =>
      session.value(
        'select ec.telemetry_buckets($1, 1, null, to_timestamp($2::float8 / 1000), to_timestamp($3::float8 / 1000))',
        [serial, from, to],
      ),
    );
  expect((await between(NOW - 10 * MINUTE, NOW - 5 * MINUTE)).bucket_s).toBe(1);
  const wide = await between(NOW - 60 * 24 * HOUR, NOW);
  expect(wide.bucket_s * 600).toBeGreaterThanOrEqual((60 * 24 * HOUR) / 1000);
});
