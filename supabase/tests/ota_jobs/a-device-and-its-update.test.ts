import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import type { FleetDevice } from '../harness/fleet.ts';
import {
  advance,
  ageUpdates,
  createJob,
  executionOf,
  install,
  makeFirmware,
  makeUpdatable,
  otas,
  readJob,
  say,
  type Execution,
  type Firmware,
  type Job,
} from '../harness/updating.ts';
import {
  claimMessages,
  finishMessages,
  loseBridge,
  publish,
  report,
  sayOnline,
  telemetry,
} from '../harness/wire.ts';
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
  [device] = (await makeUpdatable(db, world.org.id, 1)) as [FleetDevice];
  await publish(bridge);
});
afterAll(() => db.drop());

const job = (more = {}): Promise<Job> =>
  createJob(db, world.orgAdmin, world.org.id, firmware.id, [device], more);
const now = (id: string): Promise<Execution> => executionOf(db, id, device.serial);
const fwVersion = (): Promise<string> =>
  db.value('select fw_version from public.devices where num = $1', [device.num]);
const pending = (): Promise<boolean> =>
  db.value('select pending from public.device_state where device_num = $1', [device.num]);

test('the message says all a device needs, is no retained one, and its link leads to the image for an hour', async () => {
  const { id } = await job();
  const [message, ...more] = await publish(bridge);
  expect(more).toEqual([]);
  expect(message).toMatchObject({ topic: `devices/${device.serial}/ota`, retain: false });
  const payload = JSON.parse(message!.payload);
  expect(payload).toEqual({
    ...{
      url: expect.stringMatching(/\/firmware\/files\/[A-Za-z0-9_-]{32}$/),
      version: '1.1.0',
      job_id: id,
      attempt: 1,
    },
    ...{
      size: 1000,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      signature: 'c2lnbg==',
      product_type: 'EC-CLIMATE-V1',
    },
  });
  const api = await db.connect('ec_api');
  const link = (): Promise<Record<string, unknown> | null> =>
    api.value(`select ec.firmware_link(sha256(convert_to($1, 'UTF8')))`, [payload.url.split('/').at(-1)]);
  expect(await link()).toMatchObject({
    firmware_id: firmware.id,
    object_path: firmware.object_path,
    expired: false,
  });
  await db.query(`update ec.firmware_links set expires_at = clock_timestamp()`);
  expect(await link()).toMatchObject({ expired: true });
  expect(await api.value(`select ec.firmware_link(sha256('x'))`)).toBeNull();
});

test('it counts as sent when the broker has acknowledged it, not before', async () => {
  const { id } = await job();
  const messages = await claimMessages(bridge);
  expect((await now(id)).state).toBe('queued');
  await finishMessages(bridge, messages);
  expect(await now(id)).toMatchObject({ state: 'sent', sends: 1 });
});

test('from the message to the new version, every step is kept', async () => {
  const { id } = await job();
  await publish(bridge);
  await say(bridge, device.serial, id, 'downloading', { percent: 0 });
  for (const percent of [10, 30, 60, 100]) await say(bridge, device.serial, id, 'downloading', { percent });
  expect(await now(id)).toMatchObject({ state: 'downloading', percent: 100 });
  await say(bridge, device.serial, id, 'installing');
  await say(bridge, device.serial, id, 'rebooting');
  expect((await readJob(db, id)).counts.succeeded).toBe(0);
  await telemetry(db, device.serial, { temp: 20, fw_version: '1.1.0' });
  expect(await now(id)).toMatchObject({ state: 'succeeded', percent: null, reason: null });
  expect(await fwVersion()).toBe('1.1.0');
  await advance(db);
  expect(await readJob(db, id)).toMatchObject({ state: 'completed', counts: { succeeded: 1 } });
  const events = await db.query(
    'select state, detail from public.ota_events e where job_id = $1 and job_device_id is not null order by id',
    [id],
  );
  expect(
    events.map(({ state, detail }) => [state, (detail as { percent?: number }).percent ?? null]),
  ).toEqual([
    ...[
      ['queued', null],
      ['sent', null],
      ['downloading', 0],
      ['downloading', 30],
      ['downloading', 60],
    ],
    ...[
      ['downloading', 100],
      ['installing', null],
      ['rebooting', null],
      ['succeeded', null],
    ],
  ]);
  const timeline = await db.query(
    'select state from public.ota_events where job_id = $1 and job_device_id is null order by id',
    [id],
  );
  expect(timeline.map(({ state }) => state)).toEqual(['created', 'started', 'completed']);
});

test('the downloaded image is no success: only the new version is', async () => {
  const { id } = await job();
  await publish(bridge);
  for (const state of ['downloading', 'installing', 'rebooting']) await say(bridge, device.serial, id, state);
  await telemetry(db, device.serial, { temp: 20 });
  await advance(db);
  expect((await now(id)).state).toBe('rebooting');
});

describe('the new version is believed', () => {
  test.each([
    ['in telemetry', () => telemetry(db, device.serial, { fw_version: '1.1.0' })],
    ['under its short name', () => telemetry(db, device.serial, { fw: 'v1.1.0' })],
    ['over HTTPS', () => telemetry(db, device.serial, { fw_version: '1.1.0' }, 'https')],
    ['in what it reports', () => report(db, device.serial, { fw_version: '1.1.0' })],
    [
      'in a batch',
      () =>
        db.query('select ec.ingest_telemetry($1::json, $2)', [
          JSON.stringify(
            [0, 1, 2].map((i) => ({
              i,
              s: device.serial,
              d: { temp: i, fw_version: '1.1.0' },
              r: Date.now() * 1000 + i,
              t: null,
              q: i,
            })),
          ),
          'mqtt',
        ]),
    ],
    [
      'when it registers',
      () => db.query(`update public.devices set fw_version = '1.1.0' where num = $1`, [device.num]),
    ],
  ])('%s', async (_where, speak) => {
    const { id } = await job();
    await publish(bridge);
    await speak();
    expect((await now(id)).state).toBe('succeeded');
    expect(
      await db.value('select pending_fw_version from public.devices where num = $1', [device.num]),
    ).toBeNull();
  });

  test('also of a device that had run out of time, had failed or had gone back', async () => {
    const { id } = await job({ failure_pct: 100 });
    await publish(bridge);
    await say(bridge, device.serial, id, 'failed', { reason: 'no space' });
    await telemetry(db, device.serial, { fw_version: '1.1.0' });
    expect(await now(id)).toMatchObject({ state: 'succeeded', reason: null });
  });

  test('but not in a late packet from before', async () => {
    const { id } = await job();
    await publish(bridge);
    await telemetry(db, device.serial, { temp: 20 });
    await db.query('select ec.ingest_telemetry($1::json, $2)', [
      JSON.stringify([
        {
          i: 0,
          s: device.serial,
          d: { fw_version: '1.1.0' },
          r: Date.now() * 1000,
          t: Date.now() - 3_600_000,
          q: 1,
        },
      ]),
      'mqtt',
    ]);
    expect((await now(id)).state).toBe('sent');
  });
});

describe('a device that came back with the old version', () => {
  const restart = async (): Promise<string> => {
    const { id } = await job({ failure_pct: 100, failure_min: 100 });
    await publish(bridge);
    for (const state of ['downloading', 'installing', 'rebooting'])
      await say(bridge, device.serial, id, state);
    return id;
  };

  test('went back when it has run for less time than has passed', async () => {
    const id = await restart();
    await ageUpdates(db, 60);
    await telemetry(db, device.serial, { fw_version: '1.0.0', uptime: 5_000 });
    expect((await now(id)).state, 'has not restarted yet').toBe('rebooting');
    await telemetry(db, device.serial, { fw_version: '1.0.0', uptime: 12 });
    expect(await now(id)).toMatchObject({ state: 'rolled_back', reason: 'It runs 1.0.0 again.' });
  });

  test('without an uptime: when seen at two moments', async () => {
    const id = await restart();
    await ageUpdates(db, 60);
    await telemetry(db, device.serial, { fw_version: '1.0.0' });
    expect((await now(id)).state).toBe('rebooting');
    await telemetry(db, device.serial, { fw_version: '1.0.0' });
    expect((await now(id)).state).toBe('rolled_back');
  });

  test('also when it names its version once, in the first packet after the start', async () => {
    const id = await restart();
    await telemetry(db, device.serial, { temp: 20, fw_version: '1.0.0', uptime: 0 });
    expect((await now(id)).state).toBe('rolled_back');
  });

  test('also when that packet was faster than its word that it restarts', async () => {
    const { id } = await job({ failure_min: 9 });
    await publish(bridge);
    await telemetry(db, device.serial, { temp: 20, fw_version: '1.0.0', uptime: 1 });
    await say(bridge, device.serial, id, 'rebooting');
    await telemetry(db, device.serial, { temp: 20, uptime: 2 });
    expect((await now(id)).state).toBe('rolled_back');
  });

  test('is not one that names no version: the old one it named before the start says nothing', async () => {
    await telemetry(db, device.serial, { temp: 20, fw_version: '1.0.0', uptime: 900 });
    await ageUpdates(db, 60);
    const id = await restart();
    await db.query(
      `update public.device_state set named_version_at = named_version_at - interval '1 minute' where device_num = $1`,
      [device.num],
    );
    for (const uptime of [0, 1, 2]) await telemetry(db, device.serial, { temp: 20, uptime });
    expect((await now(id)).state).toBe('rebooting');
    await telemetry(db, device.serial, { temp: 20, uptime: 3, fw_version: '1.1.0' });
    expect((await now(id)).state).toBe('succeeded');
  });

  test('gives its own reason, before or after its packets do', async () => {
    const id = await restart();
    await ageUpdates(db, 60);
    await telemetry(db, device.serial, { fw_version: '1.0.0', uptime: 0 });
    await say(bridge, device.serial, id, 'rolled_back', { reason: 'crashed three times' });
    expect(await now(id)).toMatchObject({ state: 'rolled_back', reason: 'crashed three times' });
    expect(await say(bridge, device.serial, id, 'rolled_back', { reason: 'another' })).toBe(0);
  });

  test('also after it had been seen with the new one, while the job runs', async () => {
    const [other] = await makeUpdatable(db, world.org.id, 1);
    const { id } = await createJob(db, world.orgAdmin, world.org.id, firmware.id, [device, other!], {
      failure_pct: 100,
    });
    await publish(bridge);
    await install(bridge, db, device.serial, id);
    expect((await now(id)).state).toBe('succeeded');
    await telemetry(db, device.serial, { fw_version: '1.0.0' });
    expect((await now(id)).state).toBe('rolled_back');
    await telemetry(db, device.serial, { fw_version: '1.1.0' });
    expect((await now(id)).state, 'and up again').toBe('succeeded');
  });
});

test('a still newer version by another way is no failure', async () => {
  const [other] = await makeUpdatable(db, world.org.id, 1);
  const { id } = await createJob(db, world.orgAdmin, world.org.id, firmware.id, [device, other!]);
  await publish(bridge);
  await install(bridge, db, device.serial, id);
  await telemetry(db, device.serial, { fw_version: '1.2.0' });
  expect((await now(id)).state).toBe('succeeded');
});

describe('words of a device', () => {
  test('move its update forward only, and count once', async () => {
    const { id } = await job();
    await publish(bridge);
    expect(await say(bridge, device.serial, id, 'downloading', { percent: 40 })).toBe(1);
    expect(await say(bridge, device.serial, id, 'downloading', { percent: 40 })).toBe(0);
    expect(await say(bridge, device.serial, id, 'downloading', { percent: 20 })).toBe(0);
    expect(await say(bridge, device.serial, id, 'installing')).toBe(1);
    expect(await say(bridge, device.serial, id, 'downloading', { percent: 90 })).toBe(0);
    expect(await say(bridge, device.serial, id, 'failed', { reason: 'flash' })).toBe(1);
    expect(await say(bridge, device.serial, id, 'rebooting')).toBe(0);
    expect(await now(id)).toMatchObject({ state: 'failed', reason: 'flash' });
  });

  test('about another attempt, another device, another job, or without sense change nothing', async () => {
    const { id } = await job();
    await publish(bridge);
    const [other] = await makeUpdatable(db, world.org.id, 1);
    expect(await say(bridge, device.serial, id, 'failed', { a: 2 })).toBe(0);
    expect(await say(bridge, other!.serial, id, 'failed')).toBe(0);
    expect(await say(bridge, device.serial, '00000000-0000-4000-8000-000000000000', 'failed')).toBe(0);
    expect(await say(bridge, device.serial, `${id}'`, 'failed')).toBe(0);
    expect(await say(bridge, device.serial, id, 'succeeded')).toBe(0);
    expect((await now(id)).state).toBe('sent');
  });

  test('that were faster than the broker are not taken back', async () => {
    const { id } = await job();
    const messages = await claimMessages(bridge);
    await say(bridge, device.serial, id, 'downloading', { percent: 3 });
    await finishMessages(bridge, messages);
    expect(await now(id)).toMatchObject({ state: 'downloading', sends: 1 });
  });

  test('of refusal are final', async () => {
    const { id } = await job({ failure_min: 5 });
    await publish(bridge);
    await say(bridge, device.serial, id, 'rejected', { reason: 'bad signature' });
    expect(await now(id)).toMatchObject({ state: 'rejected', reason: 'bad signature' });
  });
});

describe('a device that asks for more time', () => {
  test('is told again when it is over, under the same attempt', async () => {
    const { id } = await job();
    await publish(bridge);
    await say(bridge, device.serial, id, 'deferred', { reason: 'battery low', retry_s: 120 });
    expect(await now(id)).toMatchObject({ state: 'queued', reason: 'deferred: battery low' });
    await telemetry(db, device.serial, { temp: 20 });
    await advance(db);
    expect(await otas(bridge, device.serial)).toEqual([]);
    await ageUpdates(db, 121);
    await telemetry(db, device.serial, { temp: 21 });
    expect(await otas(bridge, device.serial)).toMatchObject([{ job_id: id, attempt: 1 }]);
    expect(await now(id)).toMatchObject({ state: 'sent', reason: null });
  });

  test('also by the clock alone, and a quarter of an hour unless it says', async () => {
    const { id } = await job();
    await publish(bridge);
    await say(bridge, device.serial, id, 'deferred');
    await ageUpdates(db, 899);
    await advance(db);
    expect(await otas(bridge, device.serial)).toEqual([]);
    await ageUpdates(db, 2);
    await advance(db);
    expect(await otas(bridge, device.serial)).toHaveLength(1);
  });

  test('gets no fresh link for an update it has put off', async () => {
    const { id } = await job();
    await publish(bridge);
    await say(bridge, device.serial, id, 'deferred', { retry_s: 600 });
    expect(await say(bridge, device.serial, id, 'deferred', { reason: 'url_expired' })).toBe(0);
    expect(await otas(bridge, device.serial)).toEqual([]);
  });

  test('gets a fresh link at once when its own has expired', async () => {
    const { id } = await job();
    const [first] = await otas(bridge, device.serial);
    await say(bridge, device.serial, id, 'downloading', { percent: 50 });
    expect(await say(bridge, device.serial, id, 'deferred', { reason: 'url_expired' })).toBe(1);
    expect(
      await say(bridge, device.serial, id, 'deferred', { reason: 'url_expired' }),
      'one is on its way',
    ).toBe(0);
    const [second, ...more] = await otas(bridge, device.serial);
    expect(more).toEqual([]);
    expect(second).toEqual({ ...first, url: second!.url });
    expect(second!.url).not.toBe(first!.url);
    expect(await now(id)).toMatchObject({ state: 'downloading', percent: 50 });
  });
});

describe('a device that was away', () => {
  beforeEach(async () => {
    [device] = (await makeUpdatable(db, world.org.id, 1, { connected: false })) as [FleetDevice];
  });

  test.each([
    ['its birth', () => sayOnline(db, device.serial, true)],
    ['its first telemetry', () => telemetry(db, device.serial, { temp: 20 })],
    ['a reported document', () => report(db, device.serial, { relay: true })],
    ['a question for its shadow', () => bridge.query('select ec.answer_shadow_get($1)', [[device.serial]])],
  ])('gets it with %s, exactly once', async (_what, sign) => {
    const { id } = await job();
    await advance(db);
    expect(await otas(bridge, device.serial)).toEqual([]);
    expect(
      await db.query(
        'select pending_fw_version as version, pending_fw_url as url from public.devices where num = $1',
        [device.num],
      ),
    ).toEqual([{ version: '1.1.0', url: `/firmware/${firmware.id}/file` }]);
    await sign();
    expect(await otas(bridge, device.serial)).toMatchObject([{ job_id: id }]);
    await telemetry(db, device.serial, { temp: 21 });
    await advance(db);
    expect(await otas(bridge, device.serial)).toEqual([]);
  });

  test('and comes back with a newer version is left alone', async () => {
    const { id } = await job();
    await telemetry(db, device.serial, { fw_version: '1.2.0' });
    expect(await otas(bridge, device.serial)).toEqual([]);
    expect(await now(id)).toMatchObject({ state: 'cancelled', reason: 'It runs a newer version.' });
  });

  test('is not told by its last will', async () => {
    await job();
    await sayOnline(db, device.serial, false);
    expect(await otas(bridge, device.serial)).toEqual([]);
  });
});

test('one that does not answer is told again when it is seen, ever more rarely, with a fresh link each time', async () => {
  const { id } = await job();
  const urls = new Set([(await otas(bridge, device.serial))[0]!.url]);
  for (const seconds of [29, 59, 119]) {
    await ageUpdates(db, seconds);
    await telemetry(db, device.serial, { temp: 20 });
    expect(await otas(bridge, device.serial), `after ${seconds} s`).toEqual([]);
    await ageUpdates(db, 2);
    await telemetry(db, device.serial, { temp: 20 });
    const [again] = await otas(bridge, device.serial);
    expect(again).toMatchObject({ job_id: id, attempt: 1 });
    urls.add(again!.url);
  }
  expect(urls.size).toBe(4);
});

test('one whose session begins anew in the middle is told again at once', async () => {
  const { id } = await job();
  await publish(bridge);
  await say(bridge, device.serial, id, 'downloading', { percent: 30 });
  await sayOnline(db, device.serial, false);
  await sayOnline(db, device.serial, true);
  expect(await otas(bridge, device.serial)).toMatchObject([{ job_id: id, attempt: 1 }]);
  await say(bridge, device.serial, id, 'rebooting');
  await sayOnline(db, device.serial, false);
  await sayOnline(db, device.serial, true);
  expect(await otas(bridge, device.serial), 'a restart is what it announced').toEqual([]);
});

describe('between database and broker', () => {
  test('two bridges that ask at once send it once', async () => {
    const devices = await makeUpdatable(db, world.org.id, 50);
    await createJob(db, world.orgAdmin, world.org.id, firmware.id, devices);
    const other = await db.connect('ec_bridge');
    const claimed = (
      await Promise.all([claimMessages(bridge, 'a', 30), claimMessages(other, 'b', 30)])
    ).flat();
    expect(claimed).toHaveLength(50);
    expect(new Set(claimed.map(({ topic }) => topic)).size).toBe(50);
    await finishMessages(bridge, claimed);
  });

  test('a bridge that dies before the broker answered: another sends the same message', async () => {
    const { id } = await job();
    const [first] = await claimMessages(bridge, 'dying');
    await loseBridge(db);
    const [second, ...more] = await publish(bridge);
    expect(more).toEqual([]);
    expect(second!.payload).toBe(first!.payload);
    expect(await now(id)).toMatchObject({ state: 'sent', sends: 1 });
  });

  test('a message nobody could send for half an hour is made anew', async () => {
    await job();
    await db.query(`update ec.mqtt_outbox set expires_at = clock_timestamp() where sent_at is null`);
    expect(await otas(bridge, device.serial)).toEqual([]);
    await advance(db);
    expect(await otas(bridge, device.serial)).toHaveLength(1);
  });
});

test('who says nothing for too long has timed out, counted from its last word', async () => {
  const { id } = await job({ timeout_s: 600, failure_min: 9 });
  await publish(bridge);
  await ageUpdates(db, 500);
  await say(bridge, device.serial, id, 'downloading', { percent: 10 });
  await ageUpdates(db, 599);
  await advance(db);
  expect((await now(id)).state).toBe('downloading');
  await ageUpdates(db, 2);
  await advance(db);
  expect(await now(id)).toMatchObject({ state: 'timed_out', reason: 'Nothing was heard of it in time.' });
  await telemetry(db, device.serial, { fw_version: '1.1.0' });
  expect((await now(id)).state, 'and yet it has it').toBe('succeeded');
});

test('nothing marks the device any more once nothing waits for it', async () => {
  const { id } = await job();
  expect(await pending()).toBe(true);
  await publish(bridge);
  await install(bridge, db, device.serial, id);
  await telemetry(db, device.serial, { temp: 20 });
  expect(await pending()).toBe(false);
});
