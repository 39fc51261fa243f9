import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import type { FleetDevice } from '../harness/fleet.ts';
import { expectRefusal } from '../harness/refusal.ts';
import {
  advance,
  ageUpdates,
  createJob,
  executionOf,
  install,
  makeFirmware,
  makeUpdatable,
  manage,
  otas,
  readJob,
  say,
  statesOf,
  type Execution,
  type Firmware,
  type Job,
  type JobInput,
} from '../harness/updating.ts';
import { claimMessages, finishMessages, publish, telemetry } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
let firmware: Firmware;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
  firmware = await makeFirmware(db, world.orgAdmin, world.org.id);
});
afterAll(() => db.drop());

let devices: FleetDevice[];
let job: Job;
const start = async (count: number, more: JobInput, connected = true): Promise<void> => {
  await publish(bridge);
  devices = await makeUpdatable(db, world.org.id, count, { connected });
  job = await createJob(db, world.orgAdmin, world.org.id, firmware.id, devices, more);
};
/** Serials that got the message since last asked, with the broker's acknowledgement. */
const told = async (): Promise<string[]> =>
  (await publish(bridge))
    .filter(({ topic }) => topic.endsWith('/ota'))
    .map(({ topic }) => topic.split('/')[1]!);
const stageOf = async (n: number): Promise<string[]> =>
  (
    await db.query<{ serial: string }>(
      'select serial from public.ota_job_devices where job_id = $1 and stage = $2 order by position',
      [job.id, n],
    )
  ).map(({ serial }) => serial);
const finish = async (serials: string[], version = '1.1.0'): Promise<void> => {
  for (const serial of serials) await install(bridge, db, serial, job.id, version);
};
const fail = async (serials: string[], reason = 'broken'): Promise<void> => {
  for (const serial of serials) await say(bridge, serial, job.id, 'failed', { reason });
};
const read = (): Promise<Job> => readJob(db, job.id);
const now = (serial: string): Promise<Execution> => executionOf(db, job.id, serial);

describe('a job in stages', () => {
  beforeEach(() => start(10, { stages: [{ count: 2 }, { percent: 50 }, { percent: 100 }] }));

  test('tells nobody outside the running one', async () => {
    expect(job.stages.map(({ devices: n }) => n)).toEqual([2, 3, 5]);
    expect((await told()).toSorted()).toEqual((await stageOf(0)).toSorted());
    for (const { serial } of devices) await telemetry(db, serial, { temp: 20 });
    await advance(db);
    expect(await told()).toEqual([]);
  });

  test('goes on when nobody is under way and half have made it, through to the end', async () => {
    const [first, second, third] = [await stageOf(0), await stageOf(1), await stageOf(2)];
    await told();
    await finish(first.slice(0, 1));
    await advance(db);
    expect((await read()).stage, 'one is under way').toBe(0);
    await finish(first.slice(1));
    await advance(db);
    expect(await read()).toMatchObject({ stage: 1, state: 'running' });
    expect((await told()).toSorted()).toEqual(second.toSorted());
    await finish(second);
    await advance(db);
    expect((await told()).toSorted()).toEqual(third.toSorted());
    await finish(third);
    await advance(db);
    expect(await read()).toMatchObject({ state: 'completed', counts: { succeeded: 10 } });
    expect(
      await db.query(`select kind, severity, body from public.notifications where subject ->> 'job' = $1`, [
        job.id,
      ]),
    ).toEqual([{ kind: 'ota_job_finished', severity: 'info', body: '10 of 10 devices run 1.1.0.' }]);
  });

  test('stops itself when too many of a stage fail, and nobody else gets it', async () => {
    const [first] = [await stageOf(0)];
    await told();
    await fail(first.slice(0, 1), 'flash worn out');
    await advance(db);
    expect(await read()).toMatchObject({
      state: 'aborted',
      abort_reason: { kind: 'failure_threshold', stage: 0, failed: 1, finished: 1, pct: 50 },
      counts: { failed: 1, sent: 1, cancelled: 8 },
    });
    expect((await read()).failures).toContainEqual({ state: 'failed', reason: 'flash worn out', devices: 1 });
    expect(await told()).toEqual([]);
    await finish(first.slice(1));
    expect((await now(first[1]!)).state, 'what was under way goes on').toBe('succeeded');
    expect(
      await db.query(`select kind, severity from public.notifications where subject ->> 'job' = $1`, [
        job.id,
      ]),
    ).toEqual([{ kind: 'ota_job_aborted', severity: 'bad' }]);
    expect(
      await db.query(
        `select action, actor_kind from public.audit_log where target_id = $1 order by id desc limit 1`,
        [job.id],
      ),
    ).toEqual([{ action: 'ota_job_aborted', actor_kind: 'system' }]);
  });

  test('stops when one of an earlier stage goes back to its old version', async () => {
    const first = await stageOf(0);
    await told();
    await finish(first);
    await advance(db);
    await telemetry(db, first[0]!, { fw_version: '1.0.0' });
    await advance(db);
    expect(await read()).toMatchObject({
      state: 'aborted',
      abort_reason: { stage: 0, failed: 1, finished: 2 },
    });
  });
});

describe('the threshold', () => {
  test('counts a share of those that were told, so that failing fast is no worse than failing', async () => {
    await start(20, { failure_pct: 20 });
    await told();
    const serials = devices.map(({ serial }) => serial);
    await fail(serials.slice(0, 3));
    await advance(db);
    expect((await read()).state, '3 of 3 that have finished, but of 20 that were told').toBe('running');
    await finish(serials.slice(3, 14));
    await fail(serials.slice(14, 15));
    await advance(db);
    expect((await read()).state, '4 of 20 are 20 %').toBe('aborted');
  });

  test('begins with three failures', async () => {
    await start(4, { failure_pct: 20 });
    await told();
    const serials = devices.map(({ serial }) => serial);
    await fail(serials.slice(0, 2));
    await advance(db);
    expect((await read()).state).toBe('running');
    await fail(serials.slice(2, 3));
    await advance(db);
    expect((await read()).state).toBe('aborted');
  });

  test('is what the job says', async () => {
    await start(10, { failure_pct: 50, failure_min: 2 });
    await told();
    const serials = devices.map(({ serial }) => serial);
    await finish(serials.slice(0, 3));
    await fail(serials.slice(3, 7));
    await advance(db);
    expect((await read()).state).toBe('running');
    await say(bridge, serials[7]!, job.id, 'rejected', { reason: 'wrong key' });
    await advance(db);
    expect(await read()).toMatchObject({
      state: 'aborted',
      abort_reason: { failed: 5, finished: 8, pct: 50 },
    });
  });
});

describe('a stage', () => {
  test('rests after its success before the next one begins', async () => {
    await start(4, { stages: [{ count: 2, soak_s: 600 }, { percent: 100 }] });
    const first = await stageOf(0);
    await told();
    await finish(first);
    await advance(db);
    expect(await read()).toMatchObject({ stage: 0, soaking_since: expect.any(String) });
    await ageUpdates(db, 590);
    await advance(db);
    expect((await read()).stage).toBe(0);
    await ageUpdates(db, 11);
    await advance(db);
    expect(await read()).toMatchObject({ stage: 1, soaking_since: null });
    expect((await told()).toSorted()).toEqual((await stageOf(1)).toSorted());
  });

  test('that rests is stopped by one that goes back', async () => {
    await start(4, { stages: [{ count: 2, soak_s: 600 }, { percent: 100 }] });
    const first = await stageOf(0);
    await told();
    await finish(first);
    await advance(db);
    await telemetry(db, first[1]!, { fw_version: '1.0.0' });
    await advance(db);
    expect((await read()).state).toBe('aborted');
  });

  test('does not wait for devices that are away; they get theirs when they return', async () => {
    await start(4, { stages: [{ count: 2 }, { percent: 100 }] }, false);
    const [here, away] = await stageOf(0);
    await telemetry(db, here!, { temp: 20 });
    expect(await told()).toEqual([here]);
    await finish([here!]);
    await advance(db);
    expect((await read()).stage).toBe(1);
    await telemetry(db, away!, { temp: 20 });
    expect(await told()).toEqual([away]);
  });

  test('nobody of which made it ends the job, whatever the threshold', async () => {
    await start(4, { stages: [{ count: 2 }, { percent: 100 }], failure_min: 50 });
    await told();
    await fail(await stageOf(0));
    await advance(db);
    expect(await read()).toMatchObject({
      state: 'aborted',
      abort_reason: { kind: 'no_success', stage: 0, failed: 2 },
    });
  });

  test('passes when all have finished and some made it, if the threshold allows that', async () => {
    await start(4, { stages: [{ count: 3 }, { percent: 100 }], failure_pct: 100, failure_min: 50 });
    await told();
    const first = await stageOf(0);
    await fail(first.slice(0, 2));
    await finish(first.slice(2));
    await advance(db);
    expect((await read()).stage).toBe(1);
  });

  test('of named devices none of which would get it is refused: it protects nobody', async () => {
    const [device] = await makeUpdatable(db, world.org.id, 1);
    const refusal = await expectRefusal(
      createJob(db, world.orgAdmin, world.org.id, firmware.id, [device!], {
        stages: [{ serials: ['TYPO-1'], soak_s: 3600 }, { percent: 100 }],
      }),
      'EC422',
      'unprocessable',
    );
    expect(refusal.hint).toEqual({ reason: 'empty_stage', stage: 0 });
  });

  test('whose only device has left before anybody succeeded ends the job', async () => {
    await start(3, { stages: [{ count: 1 }, { percent: 100 }] });
    const [canary] = await stageOf(0);
    await db.as(world.orgAdmin, (session) => session.query('select ec.retire_device($1, true)', [canary]));
    await advance(db);
    expect(await read()).toMatchObject({ state: 'aborted', abort_reason: { kind: 'no_success', stage: 0 } });
    expect(await told()).toEqual([]);
  });

  test('without a device left is passed over once an earlier one has succeeded', async () => {
    await start(3, { stages: [{ count: 1 }, { count: 1 }, { percent: 100 }] });
    const [second] = await stageOf(1);
    await db.as(world.orgAdmin, (session) => session.query('select ec.retire_device($1, true)', [second]));
    await told();
    await finish(await stageOf(0));
    await advance(db);
    expect((await read()).stage).toBe(2);
  });
});

test('devices that are there come first, and named ones into the stage that names them', async () => {
  await publish(bridge);
  const away = await makeUpdatable(db, world.org.id, 3, { connected: false });
  devices = await makeUpdatable(db, world.org.id, 3);
  const named = away[1]!.serial;
  job = await createJob(db, world.orgAdmin, world.org.id, firmware.id, [...away, ...devices], {
    stages: [{ serials: [named] }, { count: 3 }, { percent: 100 }],
  });
  expect(await stageOf(0)).toEqual([named]);
  expect((await stageOf(1)).toSorted()).toEqual(devices.map(({ serial }) => serial).toSorted());
  expect(await stageOf(2)).toHaveLength(2);
});

test('devices the stages leave over get a last one', async () => {
  await start(10, { stages: [{ count: 1 }, { percent: 25 }] });
  expect(job.stages).toMatchObject([
    { count: 1, devices: 1 },
    { percent: 25, devices: 2 },
    { percent: 100, devices: 7 },
  ]);
});

describe('pausing', () => {
  test('takes back what no bridge has, and holds everybody else; what runs goes on', async () => {
    await start(4, { stages: [{ count: 3 }, { percent: 100 }] });
    const first = await stageOf(0);
    const claimed = await claimMessages(bridge, 'bridge', 1);
    const [running] = claimed.map(({ topic }) => topic.split('/')[1]!);
    job = await manage(db, world.orgAdmin, 'pause', job.id);
    expect(job.state).toBe('paused');
    await finishMessages(bridge, claimed);
    expect(await told()).toEqual([]);
    for (const serial of first) await telemetry(db, serial, { temp: 20 });
    await advance(db);
    expect(await told()).toEqual([]);
    await finish([running!]);
    expect((await now(running!)).state).toBe('succeeded');
    await advance(db);
    expect((await read()).stage).toBe(0);
    await manage(db, world.orgAdmin, 'resume', job.id);
    expect((await told()).toSorted()).toEqual(first.filter((serial) => serial !== running).toSorted());
  });

  test('does not stop the clock of those under way', async () => {
    await start(1, {});
    await told();
    await manage(db, world.orgAdmin, 'pause', job.id);
    await ageUpdates(db, 1801);
    await advance(db);
    expect((await now(devices[0]!.serial)).state).toBe('timed_out');
  });
});

describe('aborting by hand', () => {
  test('cancels what waits, and what runs goes on to its end', async () => {
    await start(4, { stages: [{ count: 1 }, { percent: 100 }] });
    const [running] = await stageOf(0);
    await told();
    job = await manage(db, world.orgAdmin, 'abort', job.id);
    expect(job).toMatchObject({
      state: 'aborted',
      abort_reason: { kind: 'by_hand', by: expect.stringContaining('@') },
      counts: { sent: 1, cancelled: 3 },
    });
    await finish([running!]);
    expect((await now(running!)).state).toBe('succeeded');
    expect(
      await db.value(`select count(*)::int from public.notifications where subject ->> 'job' = $1`, [job.id]),
    ).toBe(0);
    expect(
      await db.value(
        'select count(*)::int from public.devices where pending_fw_version is not null and num = any ($1)',
        [devices.map(({ num }) => num)],
      ),
    ).toBe(0);
  });

  test('tells nobody again who has not answered yet', async () => {
    await start(1, {});
    await told();
    await manage(db, world.orgAdmin, 'abort', job.id);
    await ageUpdates(db, 60);
    await telemetry(db, devices[0]!.serial, { temp: 20 });
    expect(await told()).toEqual([]);
    expect((await now(devices[0]!.serial)).state).toBe('sent');
  });

  test('a message that a bridge holds counts as under way, until it can no longer be sent', async () => {
    await start(1, {});
    const claimed = await claimMessages(bridge);
    job = await manage(db, world.orgAdmin, 'abort', job.id);
    expect(job.counts).toMatchObject({ queued: 1, cancelled: 0 });
    await db.query(`update ec.mqtt_outbox set expires_at = clock_timestamp() where id = $1`, [
      claimed[0]!.id,
    ]);
    await advance(db);
    expect((await read()).counts).toMatchObject({ queued: 0, cancelled: 1 });
  });
});

describe('trying again', () => {
  test('gives failed, timed out, gone back and cancelled ones a new attempt, refused ones only when named', async () => {
    await start(4, { stages: [{ count: 3 }, { percent: 100 }], failure_min: 2 });
    const [one, two, three] = await stageOf(0);
    await told();
    await fail([one!]);
    await say(bridge, two!, job.id, 'rejected', { reason: 'signature' });
    await finish([three!]);
    await advance(db);
    expect((await read()).state).toBe('aborted');
    job = await manage(db, world.orgAdmin, 'retry', job.id);
    expect(job).toMatchObject({
      state: 'running',
      abort_reason: null,
      counts: { rejected: 1, succeeded: 1, queued: 2 },
    });
    const [message] = await otas(bridge, one!);
    expect(message).toMatchObject({ job_id: job.id, attempt: 2 });
    expect(await say(bridge, one!, job.id, 'failed', { a: 1 }), 'a word about the first attempt').toBe(0);
    await finish([one!]);
    await advance(db);
    expect(await read()).toMatchObject({ state: 'running', stage: 1 });
    await finish(await stageOf(1));
    await advance(db);
    expect((await read()).state).toBe('completed');
    job = await manage(db, world.orgAdmin, 'retry', job.id, ['rejected']);
    expect(job).toMatchObject({ state: 'running', counts: { queued: 1 } });
    expect(await otas(bridge, two!)).toMatchObject([{ attempt: 2 }]);
  });

  test('old failures do not stop it a second time, new ones do', async () => {
    await start(4, { stages: [{ count: 2 }, { percent: 100 }] });
    const [one, two] = await stageOf(0);
    await told();
    await say(bridge, one!, job.id, 'rejected');
    await advance(db);
    await fail([two!]);
    await manage(db, world.orgAdmin, 'retry', job.id);
    await advance(db);
    expect((await read()).state).toBe('running');
    await told();
    await fail([two!]);
    await advance(db);
    expect((await read()).state).toBe('aborted');
  });

  test('leaves out devices that went to somebody else, were retired, or have another update before them', async () => {
    await start(4, { failure_min: 9 });
    await told();
    const [sold, gone, busy, left] = devices.map(({ serial }) => serial) as [string, string, string, string];
    await fail([sold, gone, busy, left]);
    await advance(db);
    await db.as(world.admin, (session) =>
      session.query('select ec.assign_device($1, $2)', [sold, { org_id: world.sibling.id }]),
    );
    await db.as(world.orgAdmin, (session) => session.query('select ec.retire_device($1, true)', [gone]));
    await createJob(db, world.orgAdmin, world.org.id, firmware.id, [{ serial: busy }]);
    await manage(db, world.orgAdmin, 'retry', job.id);
    expect(await statesOf(db, job.id)).toEqual({
      [sold]: 'failed',
      [gone]: 'failed',
      [busy]: 'failed',
      [left]: 'queued',
    });
  });
});

test('a job that cannot advance holds up no other', async () => {
  await start(1, { timeout_s: 600 });
  const broken = job;
  await start(1, { timeout_s: 600 });
  await told();
  await db.query(`update public.ota_jobs set stages = '"none"' where id = $1`, [broken.id]);
  await ageUpdates(db, 601);
  await advance(db);
  expect((await now(devices[0]!.serial)).state).toBe('timed_out');
  await db.query(`update public.ota_jobs set state = 'completed' where id = $1`, [broken.id]);
});

test('a job that starts later begins at its time, and can be called off before', async () => {
  const later = new Date(Date.now() + 600_000).toISOString();
  await start(1, { starts_at: later });
  expect(job.state).toBe('scheduled');
  await telemetry(db, devices[0]!.serial, { temp: 20 });
  await advance(db);
  expect(await told()).toEqual([]);
  await ageUpdates(db, 601);
  await advance(db);
  expect((await read()).state).toBe('running');
  expect(await told()).toEqual([devices[0]!.serial]);
  await start(1, { starts_at: later });
  job = await manage(db, world.orgAdmin, 'abort', job.id);
  expect(job).toMatchObject({ state: 'aborted', counts: { cancelled: 1 } });
});
