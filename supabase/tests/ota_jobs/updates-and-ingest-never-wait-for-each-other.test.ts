import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { ingest, type FleetDevice } from '../harness/fleet.ts';
import {
  advance,
  createJob,
  executionOf,
  makeFirmware,
  makeUpdatable,
  manage,
  readJob,
  say,
  type Job,
} from '../harness/updating.ts';
import { nextArrival, publish, telemetry } from '../harness/wire.ts';
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

const firmware = (version: string): Promise<{ id: string }> =>
  makeFirmware(db, world.orgAdmin, world.org.id, version);

test('a version that arrives while somebody changes the device is taken up with the next packet', async () => {
  const { id } = await firmware('1.1.0');
  const [device] = (await makeUpdatable(db, world.org.id, 1)) as [FleetDevice];
  const job = await createJob(db, world.orgAdmin, world.org.id, id, [device]);
  await publish(bridge);
  const editor = await db.connect('postgres');
  await editor.query('begin');
  await editor.query('select from public.devices where num = $1 for no key update', [device.num]);
  await telemetry(db, device.serial, { fw_version: '1.1.0' });
  expect((await executionOf(db, job.id, device.serial)).state).toBe('sent');
  await editor.query('commit');
  await telemetry(db, device.serial, { fw_version: '1.1.0' });
  expect((await executionOf(db, job.id, device.serial)).state).toBe('succeeded');
});

test('a device whose packets are being stored is told in the next round, nobody waits', async () => {
  const { id } = await firmware('1.2.0');
  const [device] = (await makeUpdatable(db, world.org.id, 1)) as [FleetDevice];
  await bridge.query('begin');
  await telemetry(bridge, device.serial, { temp: 20 });
  const job = await createJob(db, world.orgAdmin, world.org.id, id, [device]);
  expect((await publish(db)).length).toBe(0);
  await bridge.query('commit');
  await advance(db);
  expect((await publish(bridge)).map(({ topic }) => topic)).toEqual([`devices/${device.serial}/ota`]);
  expect((await readJob(db, job.id)).counts.sent).toBe(1);
});

test('two jobs, packets, words and rounds of two bridges, people who pause and retry: all at once end in one truth', async () => {
  const { id } = await firmware('1.3.0');
  const fleet = await makeUpdatable(db, world.org.id, 24);
  const jobs: Job[] = [];
  for (const part of [fleet.slice(0, 12), fleet.slice(12)])
    jobs.push(
      await createJob(db, world.orgAdmin, world.org.id, id, part, {
        stages: [{ count: 3 }, { percent: 100 }],
        ...{ failure_min: 100 },
      }),
    );
  const running = new Map(fleet.map(({ serial }) => [serial, '1.0.0']));
  const bridges = await Promise.all([1, 2].map(() => db.connect('ec_bridge')));
  const clock = await db.connect('ec_worker');
  let busy = true;
  const until = async (work: () => Promise<unknown>): Promise<void> => {
    while (busy) await work();
  };
  const devices = (session: Session, name: string) => async (): Promise<void> => {
    const messages = await session.query<{ id: string; topic: string; payload: string }>(
      'select * from ec.claim_mqtt_outbox($1, 7)',
      [name],
    );
    for (const { topic, payload } of messages) {
      const serial = topic.split('/')[1]!;
      const { job_id, attempt } = JSON.parse(payload) as { job_id: string; attempt: number };
      for (const state of ['downloading', 'installing', 'rebooting'])
        await say(session, serial, job_id, state, { a: attempt });
      running.set(serial, '1.3.0');
    }
    await session.query('select ec.finish_mqtt_outbox($1)', [messages.map((message) => message.id)]);
    const batch = [...running].map(([s, fw_version]) => ({
      s,
      d: { temp: 20, fw_version },
      r: nextArrival(),
    }));
    await ingest(session, batch);
  };
  const people = async (): Promise<void> => {
    for (let turn = 0; turn < 6; turn++)
      for (const job of jobs) {
        await manage(db, world.orgAdmin, 'pause', job.id).catch(() => {});
        await db.as(world.orgAdmin, (session) =>
          session.query('select ec.set_shadow_desired($1, $2)', [
            fleet[turn]!.serial,
            { [`k${turn}`]: turn },
          ]),
        );
        await manage(db, world.orgAdmin, 'resume', job.id).catch(() => {});
      }
  };
  const done = async (): Promise<void> => {
    await people();
    await expect
      .poll(
        async () =>
          (
            await db.query(
              `select from public.ota_job_devices where job_id = any ($1) and state <> 'succeeded'`,
              [jobs.map((job) => job.id)],
            )
          ).length,
        {
          timeout: 20_000,
          interval: 20,
        },
      )
      .toBe(0);
  };
  await Promise.all([
    done().finally(() => (busy = false)),
    ...bridges.map((session, n) => until(devices(session, `bridge-${n}`))),
    until(() => advance(clock)),
  ]);
  await advance(db);
  for (const job of jobs)
    expect(await readJob(db, job.id)).toMatchObject({ state: 'completed', counts: { succeeded: 12 } });
  const attempts = await db.value('select max(attempt) from public.ota_job_devices where job_id = any ($1)', [
    jobs.map((job) => job.id),
  ]);
  expect(attempts).toBe(1);
}, 60_000);

test('a job for a thousand devices that are there reaches all of them in one round', async () => {
  const { id } = await firmware('1.4.0');
  const fleet = await makeUpdatable(db, world.org.id, 1000);
  const job = await createJob(db, world.orgAdmin, world.org.id, id, fleet);
  let messages = 0;
  for (let n = -1; n !== 0; messages += n) n = (await publish(bridge)).length;
  expect(messages).toBe(1000);
  expect((await readJob(db, job.id)).counts.sent).toBe(1000);
  for (let turn = 0; turn < 2; turn++)
    await ingest(
      bridge,
      fleet
        .slice(turn * 500, turn * 500 + 500)
        .map(({ serial: s }) => ({ s, d: { fw_version: '1.4.0' }, r: nextArrival() })),
    );
  await advance(db);
  expect(await readJob(db, job.id)).toMatchObject({ state: 'completed', counts: { succeeded: 1000 } });
});
