import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices, type FleetDevice } from '../harness/fleet.ts';
import { meet } from '../harness/overtaking.ts';
import { publish, setDesired, type ShadowReply } from '../harness/wire.ts';
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

const makeOne = async (): Promise<FleetDevice> => (await makeDevices(db, world.org.id, 1))[0]!;

test('a patch that waited for another one merges into what that left', async () => {
  const { serial } = await makeOne();
  const [, second] = await meet(
    db,
    world.operator,
    (session) => session.query('select ec.set_shadow_desired($1, $2)', [serial, { relay: true }]),
    () => setDesired(db, world.orgAdmin, serial, { setpoint: 20 }),
  );
  expect(second).toMatchObject({
    status: 'fulfilled',
    value: { desired: { relay: true, setpoint: 20 }, desired_version: 2 },
  });
});

test('of two that name the same version one is stale', async () => {
  const { serial } = await makeOne();
  const [, second] = await meet(
    db,
    world.operator,
    (session) => session.query('select ec.set_shadow_desired($1, $2, 0)', [serial, { relay: true }]),
    () => setDesired(db, world.orgAdmin, serial, { setpoint: 20 }, { ifMatch: 0 }),
  );
  expect(second).toMatchObject({ status: 'rejected', reason: { message: 'stale_version' } });
});

test('forty patches by two people at once all count, and leave in the order of their versions', async () => {
  const { serial } = await makeOne();
  await publish(bridge);
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, n): Promise<ShadowReply> => {
      const actor = n % 2 ? world.operator : world.orgAdmin;
      return setDesired(db, actor, serial, { [`key${n}`]: n, nested: { [`key${n}`]: true } });
    }),
  );
  const versions = Array.from({ length: 40 }, (_, n) => n + 1);
  expect(replies.map((reply) => reply.desired_version).toSorted((a, b) => a - b)).toEqual(versions);
  const messages = await publish(bridge);
  const documents = messages
    .filter(({ topic }) => topic.endsWith('/document'))
    .map(({ payload }) => JSON.parse(payload) as { version: number; desired: object });
  expect(documents.map(({ version }) => version)).toEqual(versions);
  const retained = messages.filter(({ topic }) => topic.endsWith('/config')).at(-1)!;
  const final = JSON.parse(retained.payload) as Record<string, object>;
  expect(Object.keys(final)).toHaveLength(41);
  expect(Object.keys(final['nested']!)).toHaveLength(40);
  expect(documents.at(-1)!.desired).toEqual(final);
});
