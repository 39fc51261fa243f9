import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { seedWorld, type World } from '../harness/world.ts';

interface Item {
  i: number;
  serial: string;
  ok: boolean;
  device?: Record<string, unknown>;
  error?: { code: string; detail: string };
}

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  for (const serial of ['MANY-1', 'MANY-2', 'MANY-3'])
    await db.as(world.orgAdmin, (session) => register(session, serial));
});
afterAll(() => db.drop());

const assign = (
  serials: string[],
  target: Record<string, unknown>,
  actor: Actor = world.orgAdmin,
): Promise<Item[]> =>
  db.as(actor, (session) =>
    session.value('select ec.assign_org_devices($1, $2, $3)', [world.org.id, serials, target]),
  );

test('each has its result in the order given, and a foreign one is like a missing one', async () => {
  const results = await assign(['MANY-2', world.stranger.device.serial, 'MANY-1', 'NOPE-1'], {
    location_id: world.org.otherRoom,
  });
  expect(results.map(({ i, serial, ok }) => [i, serial, ok])).toEqual([
    [0, 'MANY-2', true],
    [1, world.stranger.device.serial, false],
    [2, 'MANY-1', true],
    [3, 'NOPE-1', false],
  ]);
  expect(results[0]!.device).toMatchObject({ serial: 'MANY-2', location_id: world.org.otherRoom });
  expect(results[1]!.error).toEqual(results[3]!.error);
  expect(results[1]!.error).toMatchObject({ code: 'not_found' });
});

test('a device of another org of the same person is not moved through this one', async () => {
  const [item] = await assign([world.sibling.device.serial], { location_id: null }, world.partnerUser);
  expect(item).toMatchObject({ ok: false, error: { code: 'not_found' } });
});

test('moving many to another org needs its rights, too, for each', async () => {
  const target = { org_id: world.sibling.id };
  const refused = await assign(['MANY-3'], target);
  expect(refused).toMatchObject([{ ok: false, error: { code: 'not_found' } }]);
  expect(await assign(['MANY-3'], target, world.partnerUser)).toMatchObject([
    { ok: true, device: { org_id: world.sibling.id } },
  ]);
});

test('who may not configure is refused as a whole', async () => {
  await expectRefusal(assign(['MANY-1'], { location_id: null }, world.operator), 'EC403', 'forbidden');
  for (const actor of [world.strangerAdmin, world.tenant, 'nobody'] as Actor[])
    await expectRefusal(assign(['MANY-1'], { location_id: null }, actor), 'EC404', 'not_found');
  await expectRefusal(assign([], { location_id: null }), 'EC400', 'invalid_request');
  await expectRefusal(
    assign(
      Array.from({ length: 501 }, (_, n) => `S-${n}`),
      { location_id: null },
    ),
    'EC400',
    'invalid_request',
  );
});
