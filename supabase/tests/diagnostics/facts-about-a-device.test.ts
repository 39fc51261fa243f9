import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { makeDevices, type FleetDevice } from '../harness/fleet.ts';
import { diagnose, store, type Facts, type Row } from '../harness/health.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let device: FleetDevice;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
beforeEach(async () => {
  [device] = (await makeDevices(db, world.org.id, 1)) as [FleetDevice];
});
afterAll(() => db.drop());

const read = (hours = 24): Promise<Facts> => diagnose(db, world.viewer, device.serial, hours);
/** Packets five seconds apart, the last one five seconds ago, with these numbers. */
const numbered = (seqs: (number | null)[], more: Partial<Row> = {}): Row[] =>
  seqs.map((seq, i) => ({ ago: (seqs.length - i) * 5, seq, ...more }));
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);
const boot = (ago: number): Promise<unknown> =>
  db.query('select private.note_boots($1)', [
    JSON.stringify([{ num: device.num, at: new Date(Date.now() - ago * 1000), uptime: 0, reason: 'SW' }]),
  ]);

test('a device that never reported has nothing but its thresholds', async () => {
  const facts = await read();
  expect(facts).toMatchObject({
    serial: device.serial,
    battery: [],
    boots: [],
    packets: null,
    skew: null,
    track: [],
  });
  expect(facts.health).toMatchObject({ battery: { alert_v: 3.5 }, signal: { radio: 'wifi' } });
  const [tracker] = await makeDevices(db, world.org.id, 1, 'tracker');
  expect((await diagnose(db, world.viewer, tracker!.serial)).health.signal).toMatchObject({ radio: 'gsm' });
});

test('whoever may not see the device finds nothing', async () => {
  for (const actor of [world.strangerAdmin, world.outsider])
    await expectRefusal(diagnose(db, actor, device.serial), 'EC404', 'not_found');
  await expectRefusal(diagnose(db, world.viewer, 'nobody'), 'EC404', 'not_found');
});

describe('lost packets', () => {
  test('are the numbers that never came', async () => {
    await store(db, device.num, numbered([...from(10, 40), ...from(53, 7)]));
    expect((await read()).packets).toEqual({
      hours: 24,
      expected: 50,
      received: 47,
      duplicates: 0,
      counters: 1,
    });
  });

  test('are not those that came twice, nor those that overtook each other', async () => {
    await store(db, device.num, numbered([1, 2, 2, 3, 6, 4, 5, 7, 7, 7, 9, 8]));
    expect((await read()).packets).toMatchObject({ expected: 9, received: 9, duplicates: 3, counters: 1 });
  });

  test('are not counted across a restart that begins with 0 again', async () => {
    await store(db, device.num, numbered([...from(5000, 20), ...from(0, 20)]));
    expect((await read()).packets).toMatchObject({ expected: 40, received: 40, counters: 2 });
  });

  test('nor across one soon after another, when the device told that it restarted', async () => {
    await store(db, device.num, numbered([0, 1, 2, 3, 0, 1, 2, 4]));
    expect((await read()).packets, 'looks like packets told twice').toMatchObject({ counters: 1 });
    await boot(4 * 5 + 1);
    expect((await read()).packets).toMatchObject({ expected: 9, received: 8, duplicates: 0, counters: 2 });
  });

  test('nor across a counter that jumped to another place', async () => {
    await store(db, device.num, numbered([...from(1, 10), ...from(4_000_000_000, 10)]));
    expect((await read()).packets).toMatchObject({ expected: 20, received: 20, counters: 2 });
  });

  test('are counted over a day at most, and packets without a number not at all', async () => {
    await store(db, device.num, [
      ...numbered(from(100, 10)),
      { ago: 25 * 3600, seq: 1 },
      { ago: 300, seq: null },
    ]);
    expect((await read(168)).packets).toEqual({
      hours: 24,
      expected: 10,
      received: 10,
      duplicates: 0,
      counters: 1,
    });
    expect((await read(6)).packets).toMatchObject({ hours: 6 });
  });
});

describe('the clock of the device', () => {
  test('is behind or ahead by what its packets always show', async () => {
    await store(db, device.num, numbered(from(0, 50), { late: 7_300 }));
    expect((await read()).skew).toEqual({ ms: 7300, packets: 50 });
    const [fast] = await makeDevices(db, world.org.id, 1);
    await store(db, fast!.num, numbered(from(0, 50), { late: -4_000 }));
    expect((await diagnose(db, world.viewer, fast!.serial)).skew?.ms).toBe(-4000);
  });

  test('is right, however long packets waited while there was no connection', async () => {
    const waited = numbered(from(0, 100)).map((row, i) => ({
      ...row,
      late: i < 80 ? 600_000 - i * 5000 : 40,
    }));
    await store(db, device.num, waited);
    expect((await read()).skew).toEqual({ ms: 40, packets: 100 });
  });

  test('is not judged by a single delivery of what waited', async () => {
    await store(
      db,
      device.num,
      numbered(from(0, 100)).map((row, i) => ({ ...row, late: 800_000 - i * 5000 + i * 0.01 })),
    );
    expect((await read()).skew).toBeNull();
  });

  test('is unknown when packets carry no time, or too few do', async () => {
    await store(db, device.num, numbered(from(0, 30)));
    expect((await read()).skew).toBeNull();
    await store(db, device.num, [{ ago: 1000, late: 5000 }]);
    expect((await read()).skew).toBeNull();
  });
});

test('restarts come newest first, with what ran before and since; those of another holder stay theirs', async () => {
  await boot(3600);
  await boot(60);
  await boot(40 * 86_400);
  const { boots } = await read();
  expect(boots).toHaveLength(2);
  expect(boots[0]!.at > boots[1]!.at).toBe(true);
  await db.query('update public.devices set org_id = $2 where num = $1', [device.num, world.sibling.id]);
  await db.query('select private.start_tenure($1, true)', [device.id]);
  expect((await diagnose(db, world.partnerUser, device.serial)).boots).toHaveLength(2);
  await db.query('update public.devices set org_id = $2 where num = $1', [device.num, world.stranger.id]);
  await db.query('select private.start_tenure($1, true)', [device.id]);
  expect((await diagnose(db, world.strangerAdmin, device.serial)).boots).toEqual([]);
});

test('the track is the mean place of each minute, without those where there was none', async () => {
  const minute = (ago: number, keys: string[], sums: number[]): Promise<unknown> =>
    db.query(
      `insert into public.rollups_1m (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
       select device_num, date_trunc('minute', now()) - $2 * interval '1 minute', tenure_id, org_num, $3, array_fill(2, array[$5::int]), $4, $4, $4
       from public.device_state where device_num = $1`,
      [device.num, ago, keys, sums, keys.length],
    );
  await minute(3, ['bat', 'lat', 'lon'], [8, 107, 20]);
  await minute(2, ['bat'], [8]);
  await minute(1, ['bat', 'lat', 'lon'], [8, 107.1, 20.2]);
  await minute(0, ['lat', 'lon'], [400, 20]);
  await db.query(`update public.device_state set reported = '{"lat": 53.5}' where device_num = $1`, [
    device.num,
  ]);
  const { track } = await read();
  expect(track.map(([, lat, lon]) => [lat, lon])).toEqual([
    [53.5, 10],
    [53.55, 10.1],
  ]);
});

test('the battery is told by the hour, over a week', async () => {
  await db.query(
    `insert into public.rollups_1h (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
     select device_num, date_trunc('hour', now()) - n * interval '1 hour', tenure_id, org_num, '{bat,temp}', '{10,10}', '{3.9,1}', '{4.1,3}', '{40,20}'
     from public.device_state, unnest(array[2, 1, 200]) n where device_num = $1`,
    [device.num],
  );
  const { battery } = await read();
  expect(battery.map(([, low, mean, high]) => [low, mean, high])).toEqual([
    [3.9, 4, 4.1],
    [3.9, 4, 4.1],
  ]);
});
