import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { makeDevices, type FleetDevice } from '../harness/fleet.ts';
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

interface Boot {
  at: string;
  uptime?: number | null;
  reason?: string | null;
  fw_version?: string | null;
  previous_uptime?: number | null;
}
const note = (...boots: Boot[]): Promise<number> =>
  db.value('select private.note_boots($1)', [
    JSON.stringify(boots.map((boot) => ({ num: device.num, ...boot }))),
  ]);
const noted = (): Promise<Record<string, unknown>[]> =>
  db.query(
    `select ec.iso_time(booted_at) as booted_at, reason, fw_version, previous_uptime_s from public.device_reboots
     where device_num = $1 order by booted_at`,
    [device.num],
  );

test('at the packet’s time less its uptime, with what the device says about it', async () => {
  const boot = {
    at: '2026-11-20T10:00:12Z',
    uptime: 12,
    reason: 'panic',
    fw_version: '1.2.0',
    previous_uptime: 3600,
  };
  expect(await note(boot)).toBe(1);
  expect(await noted()).toEqual([
    { booted_at: '2026-11-20T10:00:00.000Z', reason: 'PANIC', fw_version: '1.2.0', previous_uptime_s: 3600 },
  ]);
});

test('the same start told again, a few seconds off, is not another one', async () => {
  await note({ at: '2026-11-20T10:00:12Z', uptime: 12, reason: 'PANIC' });
  expect(await note({ at: '2026-11-20T10:00:17.4Z', uptime: 15, reason: 'PANIC' })).toBe(0);
  expect(await note({ at: '2026-11-20T10:00:20Z', uptime: 25 })).toBe(0);
  expect(await noted()).toHaveLength(1);
});

test('what was not known at first is filled in, what was known stays', async () => {
  await note({ at: '2026-11-20T10:00:12Z', uptime: 12, previous_uptime: 60 });
  await note({
    at: '2026-11-20T10:00:13Z',
    uptime: 13,
    reason: 'WDT',
    fw_version: '1.2.0',
    previous_uptime: 99,
  });
  await note({ at: '2026-11-20T10:00:14Z', uptime: 14, reason: 'SW', fw_version: '9' });
  expect(await noted()).toEqual([
    { booted_at: '2026-11-20T10:00:00.000Z', reason: 'WDT', fw_version: '1.2.0', previous_uptime_s: 60 },
  ]);
});

test('a device in a crash loop starts many times, each is noted', async () => {
  const at = (second: number): string => `2026-11-20T10:00:${String(second).padStart(2, '0')}Z`;
  expect(
    await note(...[0, 10, 20, 30].map((second) => ({ at: at(second), uptime: 0, reason: 'PANIC' }))),
  ).toBe(4);
});

test('a start within five seconds of another in one batch is the same', async () => {
  expect(
    await note({ at: '2026-11-20T10:00:12Z', uptime: 12 }, { at: '2026-11-20T10:00:14Z', uptime: 12 }),
  ).toBe(1);
});

test('without an uptime the packet itself is the moment, and nonsense does no harm', async () => {
  await note({ at: '2026-11-20T10:00:12Z', uptime: null, reason: null, previous_uptime: -5 });
  await note({
    at: '2026-11-20T11:00:00Z',
    uptime: -3,
    reason: 'x'.repeat(100),
    fw_version: 'v'.repeat(100),
  });
  expect(await noted()).toMatchObject([
    { booted_at: '2026-11-20T10:00:12.000Z', reason: null, previous_uptime_s: null },
    { booted_at: '2026-11-20T11:00:00.000Z', reason: 'X'.repeat(40), fw_version: 'v'.repeat(64) },
  ]);
  expect(
    await db.value('select private.note_boots($1)', ['[{"num": 2147483647, "at": "2026-11-20T10:00:00Z"}]']),
  ).toBe(0);
});

test('it belongs to whoever held the device then', async () => {
  await note({ at: '2026-11-20T10:00:00Z', uptime: 0 });
  await db.query('update public.devices set org_id = $2 where num = $1', [device.num, world.sibling.id]);
  await db.query('select private.start_tenure($1, true)', [device.id]);
  await note({ at: '2026-11-20T12:00:00Z', uptime: 0 });
  const seen = (actor: typeof world.viewer): Promise<unknown[]> =>
    db.as(actor, (session) =>
      session.query('select 1 from public.device_reboots where device_num = $1', [device.num]),
    );
  expect(await seen(world.viewer)).toHaveLength(1);
  expect(await seen(world.partnerUser)).toHaveLength(2);
  expect(await seen(world.strangerAdmin)).toHaveLength(0);
});
