import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import type { FleetDevice } from '../harness/fleet.ts';
import {
  advance,
  createJob,
  executionOf,
  install,
  makeFirmware,
  makeUpdatable,
  manage,
  readJob,
  say,
  type Firmware,
  type Job,
} from '../harness/updating.ts';
import { publish, telemetry } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
let older: Firmware;
let newer: Firmware;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
  older = await makeFirmware(db, world.orgAdmin, world.org.id, '1.1.0');
  newer = await makeFirmware(db, world.orgAdmin, world.org.id, '1.2.0');
});
afterAll(() => db.drop());

const job = (firmware: Firmware, devices: { serial: string }[], more = {}): Promise<Job> =>
  createJob(db, world.orgAdmin, world.org.id, firmware.id, devices, more);
const told = async (): Promise<string[]> =>
  (await publish(bridge)).map(({ topic }) => topic).filter((topic) => topic.endsWith('/ota'));
beforeEach(() => publish(bridge));

describe('a canary of nobody', () => {
  let devices: FleetDevice[];
  beforeEach(async () => {
    devices = await makeUpdatable(db, world.org.id, 4);
  });

  test('because another update took its only device stops the job before anybody else is told', async () => {
    const { id } = await job(older, devices, { stages: [{ count: 1, soak_s: 3600 }, { percent: 100 }] });
    const [canary] = await db.query<{ serial: string }>(
      'select serial from public.ota_job_devices where job_id = $1 and stage = 0',
      [id],
    );
    await job(newer, [canary!]);
    await advance(db);
    const after = await readJob(db, id);
    expect(after).toMatchObject({ state: 'aborted', abort_reason: { kind: 'no_success', stage: 0 } });
    expect(after.counts).toMatchObject({ cancelled: 4, queued: 0 });
    expect(await told()).toEqual([`devices/${canary!.serial}/ota`]);
  });

  test('in a later stage holds nobody back: what was tried before has shown enough', async () => {
    const { id } = await job(older, devices, { stages: [{ count: 1 }, { count: 1 }, { percent: 100 }] });
    const rows = await db.query<{ serial: string }>(
      'select serial from public.ota_job_devices where job_id = $1 order by stage, position',
      [id],
    );
    const [first, second] = rows.map(({ serial }) => serial) as [string, string];
    await job(newer, [{ serial: second }]);
    await told();
    await install(bridge, db, first, id);
    await advance(db);
    expect(await readJob(db, id)).toMatchObject({ state: 'running', stage: 2 });
    expect(await told()).toHaveLength(2);
  });
});

describe('trying again', () => {
  test('takes no device back to an older version than a later job gave it', async () => {
    const [device] = (await makeUpdatable(db, world.org.id, 1, { connected: false })) as [FleetDevice];
    const first = await job(older, [device]);
    const second = await job(newer, [device]);
    await telemetry(db, device.serial, { temp: 20 });
    await told();
    await install(bridge, db, device.serial, second.id, '1.2.0');
    await advance(db);
    expect((await readJob(db, second.id)).counts.succeeded).toBe(1);
    await expect(manage(db, world.orgAdmin, 'retry', first.id)).rejects.toMatchObject({ code: 'EC409' });
    expect((await executionOf(db, first.id, device.serial)).state).toBe('cancelled');
  });

  test('takes those who failed and leaves alone who has the version by another way', async () => {
    const [one, two] = (await makeUpdatable(db, world.org.id, 2)) as [FleetDevice, FleetDevice];
    const { id } = await job(older, [one, two], { failure_min: 10 });
    await told();
    for (const { serial } of [one, two]) await say(bridge, serial, id, 'failed', { reason: 'broken' });
    await db.query(`update public.devices set fw_version = '1.2.0' where num = $1`, [two.num]);
    expect((await manage(db, world.orgAdmin, 'retry', id)).counts).toMatchObject({ queued: 1, failed: 1 });
    expect(await told()).toEqual([`devices/${one.serial}/ota`]);
  });
});
