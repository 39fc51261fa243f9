import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

test('the refusal is the same for a foreign device of any type, room or state', async () => {
  await db.as(world.strangerAdmin, (session) => register(session, 'THEIRS-2', { productType: 'tracker' }));
  await db.query(
    `update public.devices set lifecycle = 'retired', retired_at = now() where serial = 'THEIRS-2'`,
  );
  const first = await expectRefusal(
    db.as(world.apiKey, (session) => register(session, world.stranger.device.serial)),
    'EC409',
    'serial_taken',
  );
  const second = await expectRefusal(
    db.as(world.apiKey, (session) => register(session, 'THEIRS-2')),
    'EC409',
    'serial_taken',
  );
  expect(first).toEqual(second);
  expect(JSON.stringify(first)).not.toMatch(/elsewhere|tracker|CLIMATE|retired/);
});

test('a refused registration leaves no trace', async () => {
  const credentials = await db.value('select count(*) from public.device_credentials');
  await expectRefusal(
    db.as(world.apiKey, (session) => register(session, world.stranger.device.serial)),
    'EC409',
    'serial_taken',
  );
  expect(await db.value('select count(*) from public.device_credentials')).toBe(credentials);
});

test('a device that was transferred away is taken for its maker', async () => {
  await db.as(world.orgAdmin, (session) => register(session, 'SOLD-1'));
  await db.as(world.partnerUser, (session) =>
    session.query('select ec.assign_device($1, $2)', ['SOLD-1', { org_id: world.sibling.id }]),
  );
  await expectRefusal(
    db.as(world.orgAdmin, (session) => register(session, 'SOLD-1')),
    'EC409',
    'serial_taken',
  );
});

test('only its maker registers new serials under a reserved prefix', async () => {
  const reserve = (prefix: string, orgId: string): Promise<unknown> =>
    db.as(world.admin, (session) =>
      session.query('select ec.reserve_serial_prefix($1, $2)', [prefix, orgId]),
    );
  await db.as(world.apiKey, (session) => register(session, 'ACM-OLD'));
  await reserve('ACM-', world.stranger.id);
  await expectRefusal(
    db.as(world.apiKey, (session) => register(session, 'ACM-1')),
    'EC409',
    'serial_taken',
  );
  expect(await db.as(world.strangerAdmin, (session) => register(session, 'ACM-1'))).toMatchObject({
    created: true,
  });
  // What existed before stays with whom it is.
  expect(await db.as(world.apiKey, (session) => register(session, 'ACM-OLD'))).toMatchObject({
    created: false,
  });
  // A prefix inside or around another maker's is refused; the percent sign of LIKE means nothing.
  await expectRefusal(reserve('ACM-X', world.org.id), 'EC409', 'conflict');
  await expectRefusal(reserve('AC', world.org.id), 'EC409', 'conflict');
  expect(await db.as(world.apiKey, (session) => register(session, 'ACMX1'))).toMatchObject({ created: true });
  await expectRefusal(
    db.as(world.orgAdmin, (session) =>
      session.query('select ec.reserve_serial_prefix($1, $2)', ['Z-', world.org.id]),
    ),
    'EC403',
    'forbidden',
  );
});
