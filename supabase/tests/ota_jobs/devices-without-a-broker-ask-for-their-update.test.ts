import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import type { FleetDevice } from '../harness/fleet.ts';
import { expectRefusal } from '../harness/refusal.ts';
import {
  ageUpdates,
  createJob,
  executionOf,
  makeFirmware,
  makeUpdatable,
  manage,
  otas,
  type Execution,
  type Firmware,
  type Job,
} from '../harness/updating.ts';
import { claimMessages, telemetry } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
let firmware: Firmware;
let device: FleetDevice;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
  firmware = await makeFirmware(db, world.orgAdmin, world.org.id);
});
beforeEach(async () => {
  [device] = (await makeUpdatable(db, world.org.id, 1, { connected: false })) as [FleetDevice];
});
afterAll(() => db.drop());

const job = (more = {}): Promise<Job> =>
  createJob(db, world.orgAdmin, world.org.id, firmware.id, [device], more);
const ask = (): Promise<Record<string, unknown>> =>
  db.as({ device: device.id }, (session) =>
    session.value('select ec.read_device_commands($1)', [device.serial]),
  );
const say = (body: unknown, as: { id: string } = device): Promise<Record<string, unknown>> =>
  db.as({ device: as.id }, (session) =>
    session.value('select ec.report_ota_status($1, $2)', [device.serial, body]),
  );
const now = (id: string): Promise<Execution> => executionOf(db, id, device.serial);

test('asking brings all a device needs, marks it as sent, and every time with a fresh link', async () => {
  const { id } = await job();
  const first = await ask();
  expect(first).toEqual({
    ...{
      commands: [],
      desired: {},
      desired_version: 0,
      job_id: id,
      attempt: 1,
      fw_version: '1.1.0',
      size: 1000,
    },
    ...{ fw_url: expect.stringMatching(/^\/firmware\/files\/[\w-]{32}$/), sha256: expect.any(String) },
    ...{ signature: 'c2lnbg==', product_type: 'EC-CLIMATE-V1' },
  });
  expect(await now(id)).toMatchObject({ state: 'sent', sends: 1 });
  const second = await ask();
  expect(second).toEqual({ ...first, fw_url: expect.not.stringMatching(String(first['fw_url'])) });
  expect((await now(id)).sends).toBe(1);
});

test('its words move the update as over MQTT, until it restarts into it', async () => {
  const { id } = await job();
  await ask();
  expect(await say({ job_id: id, attempt: 1, state: 'downloading', percent: 20 })).toEqual({
    ...{ job_id: id, attempt: 1, state: 'downloading', changed: true },
  });
  expect(await say({ job_id: id, state: 'downloading', percent: 20 })).toMatchObject({ changed: false });
  expect(await ask()).toMatchObject({ job_id: id });
  expect(await say({ job_id: id, attempt: 7, state: 'failed' })).toMatchObject({
    state: 'downloading',
    changed: false,
  });
  await say({ job_id: id, state: 'rebooting' });
  expect(await ask()).not.toHaveProperty('fw_url');
  await telemetry(db, device.serial, { fw_version: '1.1.0' }, 'https');
  expect((await now(id)).state).toBe('succeeded');
  expect(await ask()).not.toHaveProperty('fw_url');
});

test('put off by the device, it does not stand in the answer until then', async () => {
  const { id } = await job();
  await ask();
  await say({ job_id: id, state: 'deferred', reason: 'on battery', retry_s: 60 });
  expect(await ask()).not.toHaveProperty('fw_url');
  await ageUpdates(db, 61);
  expect(await ask()).toMatchObject({ job_id: id, attempt: 1 });
});

test('nothing is handed out of a job that is paused, has been aborted, or has not reached the device’s stage', async () => {
  const { id } = await job();
  await manage(db, world.orgAdmin, 'pause', id);
  expect(await ask()).not.toHaveProperty('fw_url');
  await manage(db, world.orgAdmin, 'abort', id);
  expect(await ask()).not.toHaveProperty('fw_url');
  const [first] = await makeUpdatable(db, world.org.id, 1);
  await createJob(db, world.orgAdmin, world.org.id, firmware.id, [device, first!], {
    stages: [{ serials: [first!.serial] }, { percent: 100 }],
  });
  expect(await ask()).not.toHaveProperty('fw_url');
});

test('a message that was taken back opens no other way', async () => {
  const { id } = await job();
  await telemetry(db, device.serial, { temp: 20 });
  await manage(db, world.orgAdmin, 'pause', id);
  expect(await ask()).not.toHaveProperty('fw_url');
  expect((await now(id)).state).toBe('queued');
});

test('on its way over MQTT it is handed out all the same, and counts as one', async () => {
  const { id } = await job();
  await telemetry(db, device.serial, { temp: 20 });
  await claimMessages(bridge);
  expect(await ask()).toMatchObject({ job_id: id, attempt: 1 });
  expect((await now(id)).state).toBe('sent');
  expect(await otas(bridge, device.serial)).toEqual([]);
});

test('nobody speaks for another device, or about a job it is not in', async () => {
  const { id } = await job();
  const [other] = await makeUpdatable(db, world.org.id, 1);
  await expectRefusal(say({ job_id: id, state: 'failed' }, other), 'EC404', 'not_found');
  await expectRefusal(
    say({ job_id: '00000000-0000-4000-8000-000000000000', state: 'failed' }),
    'EC404',
    'not_found',
  );
  for (const body of [
    { job_id: id },
    { job_id: id, state: 'succeeded' },
    { job_id: id, state: 'downloading', percent: 'x' },
  ])
    await expectRefusal(say(body), 'EC400', 'invalid_request');
});
