import fc from 'fast-check';
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
  type Item,
} from '../harness/fleet.ts';
import { ReferenceDevice } from './reference.ts';

let db: Database;
let org: { id: string };
beforeAll(async () => {
  db = await openDatabase();
  org = await makeFleetOrg(db);
});
afterAll(() => db.drop());

interface Step {
  device: number;
  /** 0 = has no device time; else so many ms around its arrival, in a grid small enough for collisions */
  lateMs: number | null;
  q: number | null;
  d: Record<string, unknown>;
  /** Repeat the packet so many before it, as a broker does after a reconnect. */
  repeats: number | null;
}

const reading = (usual: number, spread: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: -10, max: 10 }).map((n) => usual + (n / 10) * spread) },
    { weight: 2, arbitrary: fc.double({ min: -50, max: 5000, noNaN: true, noDefaultInfinity: true }) },
    { weight: 1, arbitrary: fc.constantFrom('n/a', true, { nested: 1 }) },
  );
const packet = fc
  .record(
    {
      temp: reading(21, 2),
      hum: reading(45, 4),
      co2: reading(700, 120),
      bat: reading(3.9, 0.3),
      relay: fc.boolean(),
      setpoint: fc.integer({ min: 18, max: 24 }),
    },
    { requiredKeys: [] },
  )
  .filter((d) => Object.keys(d).length > 0);
const step: fc.Arbitrary<Step> = fc.record({
  device: fc.integer({ min: 0, max: 2 }),
  lateMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.integer({ min: -20, max: 2 }) },
  ),
  q: fc.oneof(fc.constant(null), fc.nat(5)),
  d: packet,
  repeats: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
  ),
});

function toItems(steps: Step[], devices: FleetDevice[]): Item[] {
  const items: Item[] = [];
  for (const [n, { device, lateMs, q, d, repeats }] of steps.entries()) {
    const r = START_US + n * 1_000;
    const again = repeats === null ? undefined : items.at(-repeats);
    if (again) items.push({ ...again, r, dup: true });
    else
      items.push({
        s: devices[device]!.serial,
        d: JSON.parse(JSON.stringify(d)) as Item['d'],
        r,
        t: lateMs === null ? null : Math.floor(r / 1000) + lateMs,
        q,
      });
  }
  return items;
}

const byTime = (a: { ts: number; metric: string }, b: { ts: number; metric: string }): number =>
  a.ts - b.ts || (a.metric < b.metric ? -1 : 1);

async function compare(device: FleetDevice, reference: ReferenceDevice): Promise<void> {
  const state = await readState(db, device.num);
  expect(state).toEqual(reference.state());
  expect(await readRows(db, device.num)).toEqual(reference.rows.toSorted((a, b) => a.ts - b.ts));
  const deviations = await db.query<{ ts: string; metric: string }>(
    `select metric, (extract(epoch from ts) * 1000000)::bigint as ts, value, mean, pct from public.deviations
     where device_num = $1`,
    [device.num],
  );
  expect(deviations.map((row) => ({ ...row, ts: Number(row.ts) })).toSorted(byTime)).toEqual(
    reference.deviations.toSorted(byTime),
  );
  const drift = await db.query(
    `select metric, total, ec.sum_of(readings) from public.device_state s
     cross join lateral (values ('temp', s.s_temp, s.w_temp), ('hum', s.s_hum, s.w_hum), ('co2', s.s_co2, s.w_co2), ('bat', s.s_bat, s.w_bat))
       as m (metric, total, readings)
     where device_num = $1 and abs(total - ec.sum_of(readings)) > 1e-6`,
    [device.num],
  );
  expect(drift).toEqual([]);
}

test('however packets are cut into batches, the tables end as one by one in the reference', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 220, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }),
      async (steps, sizes) => {
        const devices = await makeDevices(db, org.id, 3);
        const items = toItems(steps, devices);
        const references = new Map(devices.map(({ serial }) => [serial, new ReferenceDevice()]));
        for (const item of items) references.get(item.s)!.take(item);

        let duplicate = 0;
        for (let start = 0, turn = 0; start < items.length; turn++) {
          const end = start + sizes[turn % sizes.length]!;
          duplicate += (await ingest(db, items.slice(start, end))).duplicate;
          start = end;
        }

        for (const device of devices) await compare(device, references.get(device.serial)!);
        expect(duplicate).toBe([...references.values()].reduce((sum, { duplicates }) => sum + duplicates, 0));
      },
    ),
    { numRuns: Number(process.env['EC_PROPERTY_RUNS'] ?? 25), interruptAfterTimeLimit: 90_000 },
  );
}, 120_000);
