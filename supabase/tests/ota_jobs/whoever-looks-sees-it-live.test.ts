import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import type { FleetDevice } from '../harness/fleet.ts';
import {
  createJob,
  install,
  makeFirmware,
  makeUpdatable,
  manage,
  say,
  type Firmware,
  type Job,
} from '../harness/updating.ts';
import { publish } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
let firmware: Firmware;
let devices: FleetDevice[];
let job: Job;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
  firmware = await makeFirmware(db, world.orgAdmin, world.org.id);
});
beforeEach(async () => {
  devices = await makeUpdatable(db, world.org.id, 3);
  job = await createJob(db, world.orgAdmin, world.org.id, firmware.id, devices);
  await publish(bridge);
  await db.query('delete from ec.live_leases; delete from ec.live_pending; delete from realtime.messages');
});
afterAll(() => db.drop());

const lease = (actor: Actor, asked: string): Promise<{ asked: string; topic: string }[]> =>
  db.as(actor, (session) => session.query('select asked, topic from ec.lease_topics($1)', [[asked]]));
/** Events sent since last asked, as [topic, event, payload]. */
async function heard(): Promise<[string, string, Record<string, unknown>][]> {
  const rows = await db.query<{ topic: string; event: string; payload: Record<string, unknown> }>(
    'delete from realtime.messages returning topic, event, payload, inserted_at',
  );
  return rows.map(({ topic, event, payload }) => [topic, event, payload]);
}
/** As if half a second had passed. */
const sweep = async (): Promise<void> => {
  await db.query('update ec.live_leases set last_sent_at = null');
  await db.query('select ec.sweep_live(clock_timestamp())');
};

test('the first change goes out at once, the rest of a burst together', async () => {
  const { topic } = (await lease(world.viewer, `job:${job.id}`))[0]!;
  expect(topic).toMatch(new RegExp(`^job:${job.id}:\\d+$`));
  const [first, second, third] = devices as [FleetDevice, FleetDevice, FleetDevice];
  await say(bridge, first.serial, job.id, 'downloading', { percent: 10 });
  expect(await heard()).toEqual([
    [
      topic,
      'job',
      expect.objectContaining({
        ...{ id: job.id, number: job.number, state: 'running', stage: 0 },
        counts: expect.objectContaining({ downloading: 1, sent: 2, succeeded: 0 }),
        changed: [
          {
            serial: first.serial,
            state: 'downloading',
            percent: 10,
            reason: null,
            attempt: 1,
            at: expect.any(String),
          },
        ],
      }),
    ],
  ]);
  await say(bridge, second.serial, job.id, 'failed', { reason: 'no space' });
  await say(bridge, third.serial, job.id, 'installing');
  expect(await heard()).toEqual([]);
  await sweep();
  expect(await heard()).toMatchObject([
    [topic, 'job', { changed: [{ serial: second.serial }, { serial: third.serial }] }],
  ]);
});

test('what people do to the job is heard as well', async () => {
  await lease(world.viewer, `job:${job.id}`);
  await manage(db, world.orgAdmin, 'pause', job.id);
  expect(await heard()).toMatchObject([[expect.any(String), 'job', { state: 'paused', changed: [] }]]);
});

test('the device’s page hears every step at once', async () => {
  const [device] = devices as [FleetDevice];
  const { topic } = (await lease(world.viewer, `device:${device.serial}`))[0]!;
  await install(bridge, db, device.serial, job.id);
  const events = (await heard()).filter(([, event]) => event === 'ota');
  expect(
    events.map(([on, , payload]) => [on, payload['state'], payload['number'], payload['version']]),
  ).toEqual(
    ['downloading', 'installing', 'rebooting', 'succeeded'].map((state) => [
      topic,
      state,
      job.number,
      '1.1.0',
    ]),
  );
});

test('nothing is sent while nobody looks, and nobody else’s job can be watched', async () => {
  await install(bridge, db, devices[0]!.serial, job.id);
  expect(await heard()).toEqual([]);
  for (const actor of [world.strangerAdmin, world.customer, world.tenant, world.outsider])
    expect(await lease(actor, `job:${job.id}`)).toEqual([]);
  expect(await lease(world.viewer, `job:00000000-0000-4000-8000-000000000000`)).toEqual([]);
  expect(await lease(world.viewer, `job:x`)).toEqual([]);
});
