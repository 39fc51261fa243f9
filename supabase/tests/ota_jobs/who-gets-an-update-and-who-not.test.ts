import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import type { FleetDevice } from '../harness/fleet.ts';
import { expectRefusal, refusalOf } from '../harness/refusal.ts';
import {
  begin,
  createJob,
  executionOf,
  makeFirmware,
  makeUpdatable,
  manage,
  say,
  statesOf,
  type Firmware,
  type Job,
  type JobInput,
} from '../harness/updating.ts';
import { claimMessages, finishMessages, publish, report } from '../harness/wire.ts';
import { makeApiKey, makeMember, seedWorld, type World } from '../harness/world.ts';

interface Preview {
  number: number;
  targeted: number;
  excluded: number;
  reasons: Record<string, number>;
  stages: { devices: number }[];
  devices: {
    serial: string;
    stage: number | null;
    reason: string | null;
    detail: unknown;
    status: string | null;
  }[];
}

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

const preview = (target: JobInput, more: JobInput = {}, actor: Actor = world.orgAdmin): Promise<Preview> =>
  db.as(actor, (session) =>
    session.value('select ec.preview_ota_job($1, $2)', [
      world.org.id,
      { firmware_id: firmware.id, target, ...more },
    ]),
  );
const create = (devices: { serial: string }[], more: JobInput = {}): Promise<Job> =>
  createJob(db, world.orgAdmin, world.org.id, firmware.id, devices, more);
const one = async (options = {}): Promise<FleetDevice> =>
  (await makeUpdatable(db, world.org.id, 1, options))[0]!;
const set = (device: FleetDevice, change: string): Promise<unknown> =>
  db.query(`update public.devices set ${change} where num = $1`, [device.num]);

describe('out stay', () => {
  const reasonFor = async (device: { serial: string }, more = {}): Promise<unknown[]> => {
    const { devices } = await preview({ serials: [device.serial] }, more);
    return devices.map(({ reason, detail, stage }) => [reason, detail, stage]);
  };

  test.each<[string, (device: FleetDevice) => Promise<unknown>, unknown]>([
    ['retired', (device) => set(device, `lifecycle = 'retired', retired_at = now()`), null],
    ['other_type', (device) => set(device, `product_type = 'tracker'`), { product_type: 'tracker' }],
    ['other_maker', (device) => set(device, `maker_org_id = '${world.sibling.id}'`), null],
    ['other_chip', (device) => set(device, `attributes = '{"chip": "ESP32-S3"}'`), { chip: 'ESP32-S3' }],
    ['other_chip', (device) => report(db, device.serial, { chip: 'esp32c3' }), { chip: 'esp32c3' }],
    ['same_version', (device) => set(device, `fw_version = 'v1.1.0'`), null],
    ['newer_version', (device) => set(device, `fw_version = '1.10.0'`), null],
  ])('%s', async (reason, make, detail) => {
    const device = await one();
    await make(device);
    expect(await reasonFor(device)).toEqual([[reason, detail, null]]);
    const refusal = await expectRefusal(create([device]), 'EC422', 'unprocessable');
    expect(refusal.hint).toMatchObject({ reasons: { [reason]: 1 } });
  });

  test('devices another job is updating at this moment, named by its number', async () => {
    const device = await one();
    const { id, number } = await create([device]);
    const messages = await claimMessages(bridge);
    expect(await reasonFor(device), 'a bridge has its message').toEqual([['busy', { job: number }, null]]);
    await finishMessages(bridge, messages);
    expect(await reasonFor(device)).toEqual([['busy', { job: number }, null]]);
    await say(bridge, device.serial, id, 'failed');
    expect(await reasonFor(device)).toEqual([[null, null, 0]]);
  });

  test('serials nobody has, and those of somebody else, alike', async () => {
    const { devices, excluded, reasons } = await preview({
      serials: ['nobody-1', world.stranger.device.serial],
    });
    expect(devices.map(({ serial, reason }) => [serial, reason])).toEqual(
      [
        [world.stranger.device.serial, 'not_found'],
        ['nobody-1', 'not_found'],
      ].toSorted(),
    );
    expect({ excluded, reasons }).toEqual({ excluded: 2, reasons: { not_found: 2 } });
  });
});

test('with force, newer and equal versions get it too', async () => {
  const newer = await one({ version: '2.0.0' });
  const same = await one({ version: '1.1.0' });
  const { targeted } = await preview({ serials: [newer.serial, same.serial] }, { force: true });
  expect(targeted).toBe(2);
});

test('a device that has never been seen or is away gets it when it comes', async () => {
  const device = await one({ connected: false });
  expect((await preview({ serials: [device.serial] })).devices).toMatchObject([
    { status: 'never_seen', reason: null, stage: 0 },
  ]);
});

test('the preview is what the job then is: number, stages, and who is in the first', async () => {
  const devices = await makeUpdatable(db, world.org.id, 12);
  const stages = [{ count: 3, soak_s: 60 }, { percent: 100 }];
  const serials = devices.map(({ serial }) => serial);
  const seen = await preview({ serials }, { stages });
  const job = await create(devices, { stages });
  expect(job.number).toBe(seen.number);
  expect(seen.stages).toEqual([
    { count: 3, soak_s: 60, devices: 3 },
    { percent: 100, soak_s: 0, devices: 9 },
  ]);
  const canary = await db.query('select serial from public.ota_job_devices where job_id = $1 and stage = 0', [
    job.id,
  ]);
  expect(canary.map(({ serial }) => serial).toSorted()).toEqual(
    seen.devices
      .filter(({ stage }) => stage === 0)
      .map(({ serial }) => serial)
      .toSorted(),
  );
});

describe('a target may be', () => {
  test('a product type, a filter, or a saved filter', async () => {
    const devices = await makeUpdatable(db, world.org.id, 3);
    const nums = devices.map(({ num }) => num);
    await db.query(`update public.devices set tags = '{pilot}', location_id = $2 where num = any ($1)`, [
      nums,
      world.org.room,
    ]);
    await set(devices[2]!, `fw_version = '0.9.0'`);
    const serials = (found: Preview): string[] => found.devices.map(({ serial }) => serial).toSorted();
    const all = devices.map(({ serial }) => serial).toSorted();
    expect(serials(await preview({ filter: { tag: 'pilot' } }))).toEqual(all);
    expect(serials(await preview({ filter: { tag: 'pilot', fw_version: '1.0.0' } }))).toEqual(
      devices
        .slice(0, 2)
        .map(({ serial }) => serial)
        .toSorted(),
    );
    expect(serials(await preview({ filter: { q: devices[1]!.serial.toUpperCase() } }))).toEqual([
      devices[1]!.serial,
    ]);
    expect(
      serials(await preview({ filter: { room_id: world.org.building, tag: 'pilot', status: 'online' } })),
    ).toEqual(all);
    expect((await preview({ filter: { room_id: world.org.otherRoom, tag: 'pilot' } })).devices).toEqual([]);
    expect((await preview({ product_type: 'EC-CLIMATE-V1' })).targeted).toBeGreaterThan(3);
    const { id } = await db.as(world.operator, (session) =>
      session.value<{ id: string }>('select ec.save_device_filter($1, $2, $3)', [
        world.org.id,
        'Pilots',
        { tag: 'pilot' },
      ]),
    );
    expect(serials(await preview({ filter_id: id }))).toEqual(all);
    const job = await db.as(world.orgAdmin, (session) =>
      session.value<Job>('select ec.create_ota_job($1, $2)', [
        world.org.id,
        { firmware_id: firmware.id, target: { filter_id: id } },
      ]),
    );
    await db.query(`update public.devices set tags = '{}' where num = any ($1)`, [nums]);
    expect(Object.keys(await statesOf(db, job.id)).toSorted(), 'the list is fixed').toEqual(all);
  });

  test('somebody else’s saved filter is none', async () => {
    const { id } = await db.as(world.strangerAdmin, (session) =>
      session.value<{ id: string }>('select ec.save_device_filter($1, $2, $3)', [
        world.stranger.id,
        'Mine',
        { tag: 'x' },
      ]),
    );
    await expectRefusal(preview({ filter_id: id }), 'EC404', 'not_found');
  });
});

describe('refused is', () => {
  test.each<[string, JobInput]>([
    ['no target', { target: {} }],
    ['two targets', { target: { serials: ['x-1'], product_type: 'tracker' } }],
    ['an empty list', { target: { serials: [] } }],
    ['an unknown filter', { target: { filter: { colour: 'red' } } }],
    ['a stage of nothing', { stages: [{}] }],
    ['a stage of two kinds', { stages: [{ count: 1, percent: 5 }] }],
    ['falling percentages', { stages: [{ percent: 50 }, { percent: 20 }] }],
    ['half a device', { stages: [{ count: 0.5 }] }],
    ['endless rest', { stages: [{ count: 1, soak_s: 1e9 }] }],
    ['no stage', { stages: [] }],
    ['a threshold of 0', { failure_pct: 0 }],
    ['no patience', { timeout_s: 5 }],
    ['a window without an end', { window: { start: '10:00' } }],
    ['a window of no length', { window: { start: '10:00', end: '10:00' } }],
    ['a day that is none', { window: { start: '10:00', end: '11:00', days: ['someday'] } }],
    ['an unknown member', { colour: 'red' }],
    ['no firmware', { firmware_id: 'x' }],
  ])('%s', async (_what, more) => {
    const device = await one();
    await expectRefusal(create([device], more), 'EC400', 'invalid_request');
  });

  test('firmware that is not ready', async () => {
    const device = await one();
    await db.query(`update public.firmware set state = 'retired' where id = $1`, [firmware.id]);
    await expectRefusal(create([device]), 'EC409', 'conflict');
    await db.query(`update public.firmware set state = 'ready' where id = $1`, [firmware.id]);
  });
});

describe('two jobs for one device', () => {
  test('what the older one has not sent yet gives way to the newer one', async () => {
    const device = await one({ connected: false });
    const old = await create([device]);
    const young = await create([device]);
    expect(young.number).toBe(old.number + 1);
    expect(await executionOf(db, old.id, device.serial)).toMatchObject({
      state: 'cancelled',
      reason: `superseded by job #${young.number}`,
    });
    expect((await executionOf(db, young.id, device.serial)).state).toBe('queued');
    expect(await db.value('select pending_fw_version from public.devices where num = $1', [device.num])).toBe(
      '1.1.0',
    );
  });

  test('made at the same moment get numbers of their own, and one of them the device', async () => {
    const device = await one({ connected: false });
    const jobs = await Promise.all([create([device]), create([device]), create([device])]);
    expect(new Set(jobs.map(({ number }) => number)).size).toBe(3);
    const states: string[] = [];
    for (const { id } of jobs) states.push((await executionOf(db, id, device.serial)).state);
    expect(states.toSorted()).toEqual(['cancelled', 'cancelled', 'queued']);
  });
});

describe('a device that leaves', () => {
  const move = (serial: string): Promise<unknown> =>
    db.as(world.admin, (session) =>
      session.query('select ec.assign_device($1, $2)', [serial, { org_id: world.sibling.id }]),
    );
  const retire = (serial: string): Promise<unknown> =>
    db.as(world.orgAdmin, (session) => session.query('select ec.retire_device($1, true)', [serial]));

  test.each([
    ['handed_over', move],
    ['retired', retire],
  ] as const)('its org ends what that org wanted of it: %s', async (reason, leave) => {
    const device = await one();
    const { id } = await create([device]);
    await leave(device.serial);
    expect(await executionOf(db, id, device.serial)).toMatchObject({ state: 'cancelled', reason });
    expect((await publish(bridge)).filter(({ topic }) => topic === `devices/${device.serial}/ota`)).toEqual(
      [],
    );
    expect(
      await db.query('select pending_fw_version, pending_fw_url from public.devices where num = $1', [
        device.num,
      ]),
    ).toEqual([{ pending_fw_version: null, pending_fw_url: null }]);
  });

  test('takes nothing back to its former org: its words about the old job are nobody’s', async () => {
    const device = await one();
    const { id } = await create([device], { failure_min: 9 });
    await publish(bridge);
    await move(device.serial);
    expect(await say(bridge, device.serial, id, 'rolled_back', { reason: 'secret of the new holder' })).toBe(
      0,
    );
    await set(device, `fw_version = '1.1.0'`);
    expect((await executionOf(db, id, device.serial)).state).toBe('cancelled');
  });

  test('one room for another stays whose it is', async () => {
    const device = await one();
    const { id } = await create([device]);
    await db.as(world.orgAdmin, (session) =>
      session.query('select ec.assign_device($1, $2)', [device.serial, { location_id: world.org.room }]),
    );
    expect((await executionOf(db, id, device.serial)).state).toBe('queued');
    expect(
      await db.value('select pending from public.device_state where device_num = $1', [device.num]),
    ).toBe(true);
  });
});

describe('who', () => {
  test('makes and manages jobs: who runs the org, and a key with the scope for it', async () => {
    const device = await one();
    for (const actor of [world.orgAdmin, world.admin, await makeApiKey(db, world.org.id, ['ota'])])
      await expect(createJob(db, actor, world.org.id, firmware.id, [await one()])).resolves.toMatchObject({
        targeted: 1,
      });
    for (const actor of [
      world.operator,
      world.viewer,
      world.partnerUser,
      await makeApiKey(db, world.org.id, ['read', 'write']),
    ])
      await expectRefusal(createJob(db, actor, world.org.id, firmware.id, [device]), 'EC403', 'forbidden');
    for (const actor of [
      world.customer,
      world.tenant,
      world.outsider,
      world.strangerAdmin,
      'nobody' as const,
    ])
      await expectRefusal(createJob(db, actor, world.org.id, firmware.id, [device]), 'EC404', 'not_found');
  });

  test('is not of the org finds no job, to read or to stop', async () => {
    const { id } = await create([await one()]);
    const read = (actor: Actor): Promise<Job | null> =>
      db.as(
        actor,
        (session) =>
          session.value('select ec.read_ota_job($1)', [id]).catch(() => null) as Promise<Job | null>,
      );
    for (const actor of [world.operator, world.viewer, world.partnerUser, world.apiKey])
      expect(await read(actor)).toMatchObject({ id });
    for (const actor of [world.customer, world.tenant, world.strangerAdmin])
      expect(await read(actor)).toBeNull();
    for (const what of ['pause', 'resume', 'abort', 'retry'] as const) {
      await expectRefusal(manage(db, world.strangerAdmin, what, id), 'EC404', 'not_found');
      await expectRefusal(manage(db, world.operator, what, id), 'EC403', 'forbidden');
    }
  });

  test('holds devices of another maker updates them with that maker’s firmware, and with no other', async () => {
    const holder = await makeMember(db, 'holder', 'org_admin', { org: world.sibling.id });
    const theirs = await makeFirmware(db, holder, world.sibling.id, '3.0.0');
    const [device] = await makeUpdatable(db, world.org.id, 1);
    await expectRefusal(
      createJob(db, world.strangerAdmin, world.stranger.id, firmware.id, [device!]),
      'EC404',
      'not_found',
    );
    await db.as(world.admin, (session) =>
      session.query('select ec.assign_device($1, $2)', [device!.serial, { org_id: world.sibling.id }]),
    );
    const refusal = await refusalOf(createJob(db, holder, world.sibling.id, theirs.id, [device!]));
    expect(refusal.hint).toMatchObject({ reasons: { other_maker: 1 } });
    expect((await createJob(db, holder, world.sibling.id, firmware.id, [device!])).targeted).toBe(1);
    const seen = (actor: Actor): Promise<{ id: string }[]> =>
      db.as(actor, (session) => session.query('select id from public.firmware where id = $1', [firmware.id]));
    expect(await seen(holder)).toHaveLength(1);
    expect(await seen(world.strangerAdmin)).toEqual([]);
    const uploader = (actor: Actor): Promise<unknown> =>
      db.as(actor, (session) => session.value('select private.firmware_uploader($1)', [firmware.id]));
    expect(await uploader(world.orgAdmin)).toBeTruthy();
    expect(await uploader(holder)).toBeNull();
    await expect(
      db.as(holder, (session) => session.query('select created_by_label from public.firmware')),
    ).rejects.toThrow('permission denied');
  });

  test('pushes to one device makes a job of one, and learns why not', async () => {
    const device = await one();
    const push = (force = false): Promise<Job> =>
      db.as(world.orgAdmin, (session) =>
        session.value('select ec.push_firmware($1, $2, $3)', [device.serial, firmware.id, force]),
      );
    expect(await push()).toMatchObject({ single: true, targeted: 1, counts: { queued: 1 } });
    expect(
      await db.query(
        `select action, target_kind from public.audit_log where target_id = $1 order by id desc limit 1`,
        [device.serial],
      ),
    ).toEqual([{ action: 'ota_pushed', target_kind: 'device' }]);
    await publish(bridge);
    expect((await expectRefusal(push(), 'EC422', 'unprocessable')).hint).toMatchObject({ reason: 'busy' });
  });

  test('does what in the wrong moment is told so', async () => {
    const { id } = await create([await one()]);
    const wrong = async (what: 'pause' | 'resume' | 'abort' | 'retry', state: string): Promise<void> => {
      expect(
        (await expectRefusal(manage(db, world.orgAdmin, what, id), 'EC409', 'conflict')).hint,
      ).toMatchObject({ state });
    };
    await wrong('resume', 'running');
    await wrong('retry', 'running');
    await manage(db, world.orgAdmin, 'pause', id);
    await wrong('pause', 'paused');
    await manage(db, world.orgAdmin, 'abort', id);
    for (const what of ['pause', 'resume', 'abort'] as const) await wrong(what, 'aborted');
    expect(
      await db.query(`select action from public.audit_log where target_id = $1 order by id`, [id]),
    ).toEqual(['ota_job_created', 'ota_job_paused', 'ota_job_aborted'].map((action) => ({ action })));
    const listed = await db.as(world.viewer, (session) =>
      session.query<{ job: Job }>('select * from ec.list_ota_jobs($1, $2) as job', [world.org.id, 'aborted']),
    );
    expect(listed.map(({ job }) => job.id)).toContain(id);
  });
});

test('an upload that is given up is refused, not retired, and what was refused keeps its reason', async () => {
  const { id } = await begin(db, world.orgAdmin, world.org.id, { version: '9.0.0' });
  const retire = (): Promise<Firmware> =>
    db.as(world.orgAdmin, (session) => session.value('select ec.retire_firmware($1)', [id]));
  for (const _ of [1, 2])
    expect(await retire()).toMatchObject({ state: 'refused', refused_reason: 'abandoned' });
});

test('firmware in use cannot be retired; afterwards it can, and no job takes it', async () => {
  const other = await makeFirmware(db, world.orgAdmin, world.org.id, '1.2.0');
  const device = await one();
  const job = await createJob(db, world.orgAdmin, world.org.id, other.id, [device]);
  const retire = (): Promise<Firmware> =>
    db.as(world.orgAdmin, (session) => session.value('select ec.retire_firmware($1)', [other.id]));
  expect((await expectRefusal(retire(), 'EC409', 'conflict')).hint).toEqual({ jobs: [job.number] });
  await manage(db, world.orgAdmin, 'abort', job.id);
  expect((await retire()).state).toBe('retired');
  expect((await retire()).state).toBe('retired');
  await expectRefusal(manage(db, world.orgAdmin, 'retry', job.id), 'EC409', 'conflict');
});
