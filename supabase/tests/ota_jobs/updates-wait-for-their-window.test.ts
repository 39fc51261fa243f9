import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import {
  advance,
  ageUpdates,
  createJob,
  executionOf,
  makeFirmware,
  makeUpdatable,
  otas,
} from '../harness/updating.ts';
import { telemetry } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
});
afterAll(() => db.drop());

describe('a window opens', () => {
  const opens = async (window: object, zone: string, at: string): Promise<string> =>
    (await db.value<Date>('select private.window_opens($1, $2, $3)', [window, zone, at])).toISOString();

  test.each<[string, object, string, string, string]>([
    [
      'now, inside',
      { start: '02:00', end: '04:00' },
      'UTC',
      '2026-11-23T03:59:59Z',
      '2026-11-23T03:59:59.000Z',
    ],
    [
      'later today',
      { start: '02:00', end: '04:00' },
      'UTC',
      '2026-11-23T01:00:00Z',
      '2026-11-23T02:00:00.000Z',
    ],
    [
      'tomorrow, at its very end',
      { start: '02:00', end: '04:00' },
      'UTC',
      '2026-11-23T04:00:00Z',
      '2026-11-24T02:00:00.000Z',
    ],
    [
      'by the clock of the place',
      { start: '02:00', end: '04:00' },
      'Asia/Tokyo',
      '2026-11-23T04:00:00Z',
      '2026-11-23T17:00:00.000Z',
    ],
    [
      'over midnight: before it',
      { start: '22:00', end: '04:00' },
      'UTC',
      '2026-11-23T23:00:00Z',
      '2026-11-23T23:00:00.000Z',
    ],
    [
      'over midnight: after it',
      { start: '22:00', end: '04:00' },
      'UTC',
      '2026-11-24T03:00:00Z',
      '2026-11-24T03:00:00.000Z',
    ],
    [
      'over midnight: outside',
      { start: '22:00', end: '04:00' },
      'UTC',
      '2026-11-24T12:00:00Z',
      '2026-11-24T22:00:00.000Z',
    ],
    // 2026-11-23 is a Monday.
    [
      'on its days',
      { start: '02:00', end: '04:00', days: ['sat'] },
      'UTC',
      '2026-11-23T03:00:00Z',
      '2026-11-28T02:00:00.000Z',
    ],
    [
      'the night after its day',
      { start: '22:00', end: '04:00', days: ['mon'] },
      'UTC',
      '2026-11-24T03:00:00Z',
      '2026-11-24T03:00:00.000Z',
    ],
    [
      'not the night before it',
      { start: '22:00', end: '04:00', days: ['mon'] },
      'UTC',
      '2026-11-23T03:00:00Z',
      '2026-11-23T22:00:00.000Z',
    ],
    [
      'in a week',
      { start: '02:00', end: '04:00', days: ['mon'] },
      'UTC',
      '2026-11-23T05:00:00Z',
      '2026-11-30T02:00:00.000Z',
    ],
    [
      'in winter time after the change',
      { start: '02:00', end: '04:00' },
      'Europe/Berlin',
      '2026-10-25T12:00:00Z',
      '2026-10-26T01:00:00.000Z',
    ],
  ])('%s', async (_what, window, zone, at, expected) => {
    expect(await opens(window, zone, at)).toBe(expected);
  });
});

test('a device whose window is closed waits for it, by the clock of its own room, and gets it when it opens', async () => {
  const firmware = await makeFirmware(db, world.orgAdmin, world.org.id);
  const [inside, outside] = await makeUpdatable(db, world.org.id, 2);
  // Noon at one place is midnight at the other.
  const hour = new Date().getUTCHours();
  const zone = `Etc/GMT${hour >= 12 ? '+' : '-'}12`;
  await db.query(`update public.locations set timezone = $2 where id = $1`, [world.org.building, zone]);
  await db.query(`update public.devices set location_id = $2 where num = $1`, [outside!.num, world.org.room]);
  const two = (n: number): string => `${String((n + 24) % 24).padStart(2, '0')}:00`;
  const job = await createJob(db, world.orgAdmin, world.org.id, firmware.id, [inside!, outside!], {
    window: { start: two(hour - 2), end: two(hour + 3) },
  });
  expect(await otas(bridge, inside!.serial)).toHaveLength(1);
  const waiting = await executionOf(db, job.id, outside!.serial);
  expect(waiting.state).toBe('queued');
  expect(waiting.not_before!.getTime()).toBeGreaterThan(Date.now() + 5 * 3_600_000);
  expect(waiting.not_before!.getUTCMinutes()).toBe(0);
  await telemetry(db, outside!.serial, { temp: 20 });
  await advance(db);
  expect(await otas(bridge, outside!.serial)).toEqual([]);

  await db.query(`update public.ota_job_devices set zone = 'UTC'`);
  await ageUpdates(db, 24 * 3600);
  await advance(db);
  expect(await otas(bridge, outside!.serial)).toHaveLength(1);
});

test('a window that has closed while the device was away is looked at again when it returns', async () => {
  const firmware = await makeFirmware(db, world.orgAdmin, world.org.id, '1.2.0');
  const [device] = await makeUpdatable(db, world.org.id, 1, { connected: false });
  const hour = new Date().getUTCHours();
  const two = (n: number): string => `${String((n + 24) % 24).padStart(2, '0')}:00`;
  const job = await createJob(db, world.orgAdmin, world.org.id, firmware.id, [device!], {
    window: { start: two(hour + 2), end: two(hour + 4) },
  });
  await telemetry(db, device!.serial, { temp: 20 });
  expect(await otas(bridge, device!.serial)).toEqual([]);
  expect((await executionOf(db, job.id, device!.serial)).not_before!.getUTCHours()).toBe((hour + 2) % 24);
});
