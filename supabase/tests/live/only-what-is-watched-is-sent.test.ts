import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { ingest, makeDevices, makeFleetOrg, type FleetDevice } from '../harness/fleet.ts';
import { makeMember } from '../harness/world.ts';

interface Lease {
  asked: string;
  topic: string;
  expires_at: Date;
}
interface Message {
  topic: string;
  event: string;
  payload: Record<string, unknown>;
}

let db: Database;
let org: { id: string; num: number };
let devices: FleetDevice[];
let viewer: Actor;
beforeAll(async () => {
  db = await openDatabase();
  org = await makeFleetOrg(db);
  devices = await makeDevices(db, org.id, 5);
  viewer = await makeMember(db, 'viewer', 'viewer', { org: org.id });
});
beforeEach(() => db.query('truncate ec.live_leases, ec.live_pending'));
afterAll(() => db.drop());

const lease = (topics: string[], actor = viewer): Promise<Lease[]> =>
  db.as(actor, (session) =>
    session.query<Lease & Record<string, unknown>>('select * from ec.lease_topics($1)', [topics]),
  );
let clock = Date.now() * 1000;
const send = (device: FleetDevice, temp: number): Promise<unknown> =>
  ingest(db, [{ s: device.serial, d: { temp }, r: ++clock }]);
/** Empties the mailbox of broadcasts. */
const sent = (): Promise<Message[]> =>
  db.query<Message & Record<string, unknown>>(
    `with gone as (delete from realtime.messages returning topic, event, payload, inserted_at) select topic, event, payload from gone order by inserted_at`,
  );
const sweep = (): Promise<number> => db.value('select ec.sweep_live(now())');
/** As if the last message of every topic were so long ago. */
const age = (ms: number): Promise<unknown> =>
  db.query(
    `update ec.live_leases set last_sent_at = last_sent_at - make_interval(secs => $1::float8 / 1000)`,
    [ms],
  );

test('nothing is sent, and nothing is remembered, while nobody looks', async () => {
  await send(devices[0]!, 1);
  expect(await sent()).toEqual([]);
  expect(await db.query('select 1 from ec.live_pending')).toEqual([]);
  expect(await sweep()).toBe(0);
});

test('the first change goes out in the transaction that stored it, with all a card needs', async () => {
  const [device] = devices as [FleetDevice];
  const [mine] = await lease([`device:${device.serial}`]);
  expect(mine!.topic).toBe(`device:${device.id}:1`);
  expect(mine!.expires_at.getTime() - Date.now()).toBeGreaterThan(15_000);
  await send(device, 21.5);
  const at = new Date(clock / 1000).toISOString();
  expect(await sent()).toEqual([
    {
      topic: mine!.topic,
      event: 'telemetry',
      payload: expect.objectContaining({
        serial: device.serial,
        ts: at,
        last_seen: at,
        data: { temp: 21.5 },
        status: 'online',
        connected: true,
      }),
    },
  ]);
});

test('then at most two messages a second and topic; a sweep sends the newest state after a burst', async () => {
  const [device, other] = devices as [FleetDevice, FleetDevice];
  await lease([`org:${org.id}`]);
  for (const temp of [1, 2, 3]) await send(device, temp);
  await send(other, 9);
  expect(await sent()).toHaveLength(1);
  await sweep();
  expect(await sent(), 'too soon').toEqual([]);
  await age(500);
  await sweep();
  const messages = await sent();
  expect(messages).toHaveLength(1);
  expect(messages[0]!.event).toBe('fleet');
  const fleet = messages[0]!.payload['devices'] as { serial: string; values: object }[];
  expect(fleet.map(({ serial, values }) => [serial, values]).toSorted()).toEqual(
    [
      [device.serial, { temp: 3 }],
      [other.serial, { temp: 9 }],
    ].toSorted(),
  );
  await age(500);
  await sweep();
  expect(await sent(), 'nothing changed since').toEqual([]);
});

test('two transactions at once lose nothing, whichever ends last', async () => {
  const [device, other] = devices as [FleetDevice, FleetDevice];
  await lease([`org:${org.id}`]);
  const slow = await db.connect('ec_bridge');
  await slow.query('begin');
  await ingest(slow, [{ s: device.serial, d: { temp: 50 }, r: ++clock }]);
  await send(other, 60);
  await sweep();
  await slow.query('commit');
  await age(1000);
  await sweep();
  const seen = (await sent()).flatMap(
    ({ payload }) => payload['devices'] as { serial: string; values: { temp: number } }[],
  );
  expect(seen.map(({ values }) => values.temp).toSorted()).toEqual([50, 60]);
});

test('birth and will are events of their own', async () => {
  const [device] = devices as [FleetDevice];
  await lease([`device:${device.serial}`, `org:${org.id}`]);
  await db.query('select ec.record_status($1::json)', [
    JSON.stringify([{ s: device.serial, online: false, r: (clock += 1_000_000) }]),
  ]);
  const presence = (await sent()).filter(({ event }) => event === 'presence');
  expect(presence.map(({ topic }) => topic).toSorted()).toEqual([`device:${device.id}:1`, `org:${org.id}:1`]);
  expect(presence[0]!.payload).toMatchObject({ serial: device.serial, connected: false });
});

test('one leases only what one may watch, foreign and missing alike', async () => {
  const stranger = await makeMember(db, 'stranger', 'org_admin', { org: (await makeFleetOrg(db)).id });
  const asked = [`org:${org.id}`, `device:${devices[0]!.serial}`, 'device:NOBODY-1', 'nonsense'];
  expect(await lease(asked, stranger)).toEqual([]);
  expect((await lease(asked)).map((each) => each.asked)).toEqual(
    [`device:${devices[0]!.serial}`, `org:${org.id}`].toSorted(),
  );
});

test('a lease that is not renewed ends, and with it what was kept for it', async () => {
  const [device] = devices as [FleetDevice];
  await lease([`org:${org.id}`]);
  await send(device, 1);
  await send(device, 2);
  await sent();
  expect(await db.value(`select ec.sweep_live(now() + interval '21 seconds')`)).toBe(0);
  expect(await db.query('select 1 from ec.live_pending')).toEqual([]);
  await send(device, 3);
  expect(await sent()).toEqual([]);
});
