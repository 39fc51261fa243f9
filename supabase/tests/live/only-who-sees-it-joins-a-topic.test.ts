import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimsOf, openDatabase, type Actor, type Database } from '../harness/database.ts';
import { makeApiKey, makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  await db.query(`update public.orgs set live_epoch = 7`);
});
afterAll(() => db.drop());

/** What Realtime does on joining a private channel: can this token read a message of the topic? */
async function joins(
  actor: Actor,
  topic: string,
  claims: object = {},
  extension = 'broadcast',
): Promise<boolean> {
  const client = await db.connect('authenticator');
  await client.query('begin');
  try {
    await client.query('set local role service_role');
    await client.query(`insert into realtime.messages (topic, extension) values ($1, $2)`, [
      topic,
      extension,
    ]);
    await client.query('set local role authenticated');
    await client.query(
      `select set_config('request.jwt.claims', $1, true), set_config('realtime.topic', $2, true)`,
      [JSON.stringify({ ...claimsOf(actor), ...claims }), topic],
    );
    return (await client.query('select 1 from realtime.messages where topic = $1', [topic])).length === 1;
  } finally {
    await client.query('rollback');
  }
}

const orgTopic = (epoch = 7): string => `org:${world.org.id}:${epoch}`;
const deviceTopic = (epoch = 7): string => `device:${world.org.device.id}:${epoch}`;

test('staff join their org’s topic, customers and tenants only their devices’', async () => {
  for (const actor of [
    world.admin,
    world.partnerUser,
    world.orgAdmin,
    world.operator,
    world.viewer,
    world.apiKey,
  ]) {
    expect(await joins(actor, orgTopic())).toBe(true);
    expect(await joins(actor, deviceTopic())).toBe(true);
  }
  for (const actor of [world.customer, world.tenant]) {
    expect(await joins(actor, orgTopic())).toBe(false);
    expect(await joins(actor, deviceTopic())).toBe(true);
  }
  const elsewhere = await makeMember(db, 'other', 'tenant', {
    org: world.org.id,
    location: world.org.otherRoom,
  });
  const writeKey = await makeApiKey(db, world.org.id, ['write']);
  for (const actor of [world.outsider, world.strangerAdmin, elsewhere, writeKey, 'nobody'] as Actor[]) {
    expect(await joins(actor, orgTopic())).toBe(false);
    expect(await joins(actor, deviceTopic())).toBe(false);
  }
});

test('another epoch, form or extension joins nothing', async () => {
  for (const topic of [
    orgTopic(6),
    orgTopic(8),
    deviceTopic(6),
    `org:${world.org.id}`,
    'org:x:7',
    'anything',
    `device:${world.org.id}:7`,
  ])
    expect(await joins(world.orgAdmin, topic)).toBe(false);
  expect(await joins(world.orgAdmin, orgTopic(), {}, 'presence')).toBe(false);
});

test('a token made for named topics joins no others', async () => {
  const claims = { ec_topics: [deviceTopic()] };
  expect(await joins(world.apiKey, deviceTopic(), claims)).toBe(true);
  expect(await joins(world.apiKey, orgTopic(), claims)).toBe(false);
});

test('a device’s topic ends for the old holder with the transfer', async () => {
  await db.as(world.partnerUser, (session) =>
    session.query('select ec.assign_device($1, $2)', [world.org.device.serial, { org_id: world.sibling.id }]),
  );
  expect(await joins(world.orgAdmin, deviceTopic())).toBe(false);
  // Nor does the new holder's have the same name: Realtime would not ask again who was on it before.
  expect(await joins(world.partnerUser, deviceTopic())).toBe(false);
  expect(await joins(world.partnerUser, deviceTopic(8))).toBe(true);
});

test('nobody speaks on a channel but the database', async () => {
  await expect(
    db.as(world.orgAdmin, (session) =>
      session.query(`insert into realtime.messages (topic, extension) values ($1, 'broadcast')`, [
        orgTopic(),
      ]),
    ),
  ).rejects.toMatchObject({ code: '42501' });
});
