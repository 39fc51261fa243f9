import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { meet } from '../harness/overtaking.ts';
import { register } from '../harness/register.ts';
import { makeSecret } from '../harness/secrets.ts';
import { claimMessages, publish, setDesired, type Message } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
let device: { id: string; serial: string };
let n = 0;
/** topic → what the broker keeps for it */
let kept: Map<string, string>;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
});
beforeEach(async () => {
  const serial = `KEEP-${++n}`;
  const reply = await db.as(world.orgAdmin, (session) => register(session, serial));
  device = { id: reply.device.id, serial };
  await publish(bridge);
  kept = new Map();
});
afterAll(() => db.drop());

function keep(messages: Message[]): void {
  for (const { topic, payload, retain } of messages.filter((message) => message.retain)) {
    expect(retain).toBe(true);
    if (payload === '') kept.delete(topic);
    else kept.set(topic, payload);
  }
}
const flush = async (): Promise<void> => keep(await publish(bridge));
const wish = (patch: unknown): Promise<unknown> => setDesired(db, world.operator, device.serial, patch);
const both = (payload: string): [string, string][] => [
  [`devices/${device.serial}/config`, payload],
  [`devices/${device.serial}/shadow/desired`, payload],
];
const state = (): [string, string][] =>
  [...kept].filter(([topic]) => topic.startsWith(`devices/${device.serial}/`)).toSorted();

async function wished(): Promise<void> {
  await wish({ relay: true });
  await flush();
  expect(state()).toEqual(both('{"relay":true}'));
}

test('removing the last key leaves an empty document, which a device can tell from none', async () => {
  await wished();
  await wish({ relay: null });
  await flush();
  expect(state()).toEqual(both('{}'));
});

test.each([
  ['a transfer', () => db.as(world.admin, (session) => assign(session, { org_id: world.sibling.id }))],
  [
    'retirement',
    () =>
      db.as(world.admin, (session) => session.query('select ec.retire_device($1, true)', [device.serial])),
  ],
  ['the end of its only secret', () => revokeAll()],
])('%s clears both topics, also what had not been sent yet', async (_what, end) => {
  await wished();
  await wish({ relay: false });
  await end();
  await flush();
  expect(state()).toEqual([]);
});

const assign = (session: Session, target: unknown): Promise<unknown> =>
  session.query('select ec.assign_device($1, $2)', [device.serial, target]);
async function revokeAll(): Promise<void> {
  const rows = await db.query<{ id: string }>(
    'select id from public.device_credentials where device_id = $1',
    [device.id],
  );
  for (const { id } of rows)
    await db.as(world.orgAdmin, (session) => session.query('select ec.revoke_credential($1)', [id]));
}

test('an overlap that ends as the last secret clears them as well', async () => {
  await wished();
  await db.query(
    `update public.device_credentials set expires_at = now() - interval '1 second' where device_id = $1`,
    [device.id],
  );
  await db.query('select ec.expire_credentials(now())');
  await flush();
  expect(state()).toEqual([]);
});

test('a new secret after that brings them back', async () => {
  await wished();
  await revokeAll();
  await flush();
  const { sha256, passwordHash, salt } = makeSecret();
  await db.as(world.orgAdmin, (session) =>
    session.query('select ec.rotate_credential($1, $2, $3, $4)', [device.id, sha256, passwordHash, salt]),
  );
  await flush();
  expect(state()).toEqual(both('{"relay":true}'));
});

test('what belonged to the one before is desired of nobody', async () => {
  await wished();
  await db.as(world.admin, (session) => assign(session, { org_id: world.sibling.id }));
  const [row] = await db.query(
    'select desired, desired_version, desired_times from public.devices where id = $1',
    [device.id],
  );
  expect(row).toEqual({ desired: {}, desired_version: '2', desired_times: {} });
});

test('a broker that lost everything gets back what is desired, of devices that may read it, and nothing else', async () => {
  await wished();
  const gone = `KEEP-${++n}`;
  await db.as(world.orgAdmin, (session) => register(session, gone));
  await setDesired(db, world.operator, gone, { relay: true });
  await db.as(world.admin, (session) => session.query('select ec.retire_device($1, true)', [gone]));
  await publish(bridge);
  kept.clear();
  await db.query(`update public.devices set desired = '{}' where serial <> $1`, [device.serial]);
  expect(await bridge.value('select ec.restore_retained()')).toBe(2);
  await flush();
  expect(state()).toEqual(both('{"relay":true}'));
});

test('a change that meets the restoring is never older than it', async () => {
  await wished();
  const [, change] = await meet(
    db,
    world.operator,
    (session) => session.query('select ec.set_shadow_desired($1, $2)', [device.serial, { relay: false }]),
    () => bridge.value('select ec.restore_retained()'),
  );
  expect(change.status).toBe('fulfilled');
  await flush();
  expect(state()).toEqual(both('{"relay":false}'));
});

test('the mark rises with every retained message a broker acknowledged, and with no other', async () => {
  const mark = (): Promise<string | null> => bridge.value('select ec.retained_mark()');
  const before = Number(await mark());
  await wish({ relay: true });
  const messages = await claimMessages(bridge);
  expect(Number(await mark())).toBe(before);
  await bridge.query('select ec.finish_mqtt_outbox($1)', [messages.map(({ id }) => id)]);
  const retained = messages.filter(({ retain }) => retain).map(({ id }) => Number(id));
  expect(Number(await mark())).toBe(Math.max(...retained));
});
