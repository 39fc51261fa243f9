import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import {
  ingest,
  makeDevices,
  makeFleetOrg,
  START_US,
  type FleetDevice,
  type Item,
} from '../harness/fleet.ts';
import { report, sayOnline } from '../harness/wire.ts';

let db: Database;
let org: { id: string };
let device: FleetDevice;
beforeAll(async () => {
  db = await openDatabase();
  org = await makeFleetOrg(db);
});
beforeEach(async () => {
  [device] = (await makeDevices(db, org.id, 1)) as [FleetDevice];
});
afterAll(() => db.drop());

/** A packet so many seconds after the start. */
const at = (seconds: number, d: Record<string, unknown>, more: Partial<Item> = {}): Item => ({
  ...{ s: device.serial, d, r: START_US + seconds * 1e6 },
  ...more,
});
const version = (): Promise<string | null> =>
  db.value('select fw_version from public.devices where num = $1', [device.num]);
/** [seconds after the start, reason, version, uptime before] of each start. */
const boots = async (): Promise<unknown[]> =>
  (
    await db.query<{ s: number; reason: string; fw_version: string; before: number }>(
      `select extract(epoch from booted_at)::float8 - $2 as s, reason, fw_version, previous_uptime_s as before
       from public.device_reboots where device_num = $1 order by booted_at`,
      [device.num, Math.floor(START_US / 1e6)],
    )
  ).map(({ s, reason, fw_version, before }) => [Math.round(s), reason, fw_version, before]);

describe('the version of a device follows', () => {
  test('what its packets say, and stays when they say nothing', async () => {
    await ingest(db, [at(0, { fw_version: '1.0.0' })]);
    expect(await version()).toBe('1.0.0');
    await ingest(db, [at(5, { temp: 20 })]);
    await ingest(db, [at(10, { fw: '1.1.0' })]);
    expect(await version()).toBe('1.1.0');
  });

  test('the last of a batch, whether by one packet or by many', async () => {
    await ingest(
      db,
      [0, 5, 10].map((s, i) => at(s, { fw_version: `1.${i}.0` })),
    );
    expect(await version()).toBe('1.2.0');
  });

  test('nothing late, nothing that is no version, and nothing longer than a version can be', async () => {
    await ingest(db, [at(60, { fw_version: '2.0.0' })]);
    await ingest(db, [at(70, { fw_version: '1.0.0' }, { t: Math.floor((START_US + 5e6) / 1000) })]);
    for (const [n, odd] of [{ a: 1 }, [1], null, true, ''].entries())
      await ingest(db, [at(80 + n, { fw_version: odd })]);
    expect(await version()).toBe('2.0.0');
    await ingest(db, [at(90, { fw_version: 'x'.repeat(100) })]);
    expect(await version()).toBe('x'.repeat(64));
  });

  test('the newest that was named, in whatever order the packets arrive', async () => {
    await ingest(db, [at(0, { fw_version: '1.0.0' })]);
    await ingest(db, [at(60, { temp: 20 })]);
    await ingest(db, [
      at(61, { temp: 20, fw_version: '1.1.0' }, { t: Math.floor((START_US + 30e6) / 1000) }),
    ]);
    expect(await version(), 'late as a reading, the first to name it').toBe('1.1.0');
    await ingest(
      db,
      [10, 20].map((s) =>
        at(62 + s, { fw_version: '0.9.0' }, { t: Math.floor((START_US + s * 1e6) / 1000) }),
      ),
    );
    expect(await version()).toBe('1.1.0');
  });

  test('what its packets say although the device is being changed: with its next packet, whatever that says', async () => {
    await ingest(db, [at(-5, { temp: 20 })]);
    const editor = await db.connect('postgres');
    await editor.query('begin');
    await editor.query('select from public.devices where num = $1 for no key update', [device.num]);
    await ingest(db, [at(0, { fw_version: '1.0.0' })]);
    expect(await version()).toBeNull();
    await editor.query('commit');
    await ingest(db, [at(5, { temp: 20 })]);
    expect(await version()).toBe('1.0.0');
    expect(
      await db.value('select pending from public.device_state where device_num = $1', [device.num]),
    ).toBe(false);
  });

  test('what it reports outside its packets, but not again when it said something else since', async () => {
    await report(db, device.serial, { fw_version: '1.0.0' });
    expect(await version()).toBe('1.0.0');
    // As registering at the next start does.
    await db.query(`update public.devices set fw_version = '1.1.0' where num = $1`, [device.num]);
    await db.query('update public.device_state set pending = true where device_num = $1', [device.num]);
    await ingest(db, [at(5, { temp: 20 })]);
    expect(await version()).toBe('1.1.0');
  });
});

describe('a start is noticed', () => {
  test('when the uptime falls, with its reason and version', async () => {
    await ingest(db, [at(0, { uptime: 500 })]);
    await ingest(db, [at(5, { uptime: 505 })]);
    await ingest(db, [at(10, { uptime: 3, reboot_reason: 'panic', fw_version: '1.1.0' })]);
    await ingest(db, [at(15, { uptime: 8, reboot_reason: 'panic' })]);
    expect(await boots()).toEqual([[7, 'PANIC', '1.1.0', 505]]);
  });

  test('inside a batch too, each once', async () => {
    await ingest(
      db,
      [500, 505, 2, 7, 1].map((uptime, i) => at(i * 5, { uptime })),
    );
    expect(await boots()).toEqual([
      [8, null, null, 505],
      [19, null, null, 7],
    ]);
  });

  test('after a silence longer than it has been running, although its uptime is larger than before', async () => {
    await ingest(db, [at(0, { uptime: 100 })]);
    await ingest(db, [at(3600, { uptime: 1800 })]);
    await ingest(db, [at(7200, { uptime: 5400 })]);
    expect(await boots()).toEqual([[1800, null, null, 100]]);
  });

  test('without an uptime: in the first packet of a session', async () => {
    await ingest(db, [at(0, { reboot_reason: 'POWERON' })]);
    await sayOnline(db, device.serial, false);
    await sayOnline(db, device.serial, true);
    await ingest(db, [at(5, { reboot_reason: 'WDT' })]);
    await ingest(db, [at(10, { reboot_reason: 'WDT' })]);
    expect(await boots()).toEqual([[5, 'WDT', null, null]]);
  });

  test('not in what comes late, nor in an uptime that is none', async () => {
    await ingest(db, [at(60, { uptime: 500 })]);
    await ingest(db, [at(70, { uptime: 3 }, { t: Math.floor(START_US / 1000) })]);
    await ingest(db, [at(80, { uptime: 'long' })]);
    await ingest(db, [at(85, { uptime: 525 })]);
    expect(await boots()).toEqual([]);
  });
});
