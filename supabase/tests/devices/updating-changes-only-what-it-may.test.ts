import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { makeApiKey, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const update = (patch: unknown, actor: Actor = world.orgAdmin): Promise<Record<string, unknown>> =>
  db.as(actor, (session) =>
    session.value('select ec.update_device($1, $2)', [world.org.device.serial, JSON.stringify(patch)]),
  );

test('attributes merge and null removes, tags are a set, a name can go', async () => {
  expect(
    await update({ name: 'Lab sensor', attributes: { a: 1, b: { c: 2 } }, tags: ['z', 'a', 'z'] }),
  ).toMatchObject({
    name: 'Lab sensor',
    attributes: { a: 1, b: { c: 2 } },
    tags: ['a', 'z'],
  });
  expect(await update({ name: null, attributes: { a: null, d: 'x' } })).toMatchObject({
    name: null,
    attributes: { b: { c: 2 }, d: 'x' },
    tags: ['a', 'z'],
  });
  expect(await update({ online_window_s: 3600, tags: [] })).toMatchObject({
    online_window_s: 3600,
    tags: [],
  });
});

test.each([
  'org_id',
  'serial',
  'lifecycle',
  'maker_org_id',
  'customer_id',
  'desired',
  'tenure_id',
  'is_admin',
])('%s cannot be set through it', async (key) => {
  const before = await db.query('select * from public.devices where id = $1', [world.org.device.id]);
  await expectRefusal(update({ [key]: 'x' }), 'EC400', 'invalid_request');
  expect(await db.query('select * from public.devices where id = $1', [world.org.device.id])).toEqual(before);
});

test.each([
  [{ tags: 'x' }],
  [{ tags: [1] }],
  [{ tags: [''] }],
  [{ tags: ['x'.repeat(65)] }],
  [{ tags: Array(33).fill('t') }],
  [{ attributes: [] }],
  [{ attributes: { a: 'x'.repeat(17_000) } }],
  ['text'],
])('malformed input %# is refused', async (patch) => {
  await expectRefusal(update(patch), 'EC400', 'invalid_request');
});

test('what changed is in the audit log with before and after; nothing changed leaves no row', async () => {
  await update({ name: 'One' });
  const key = await makeApiKey(db, world.org.id, ['write']);
  await update({ name: 'Two', online_window_s: 60 }, key);
  await update({ name: 'Two' });
  const rows = await db.query(
    `select actor_kind, actor_label, before, after from public.audit_log
     where action = 'device_updated' and target_id = $1 order by id desc limit 1`,
    [world.org.device.serial],
  );
  expect(rows).toMatchObject([
    {
      actor_kind: 'api_key',
      actor_label: 'test (ec_live_test…)',
      before: { name: 'One' },
      after: { name: 'Two', online_window_s: 60 },
    },
  ]);
});

test('the request’s id stands in its audit rows', async () => {
  await db.as(world.orgAdmin, async (session) => {
    await session.query(`select set_config('ec.request_id', 'req-42', true)`);
    await session.query('select ec.update_device($1, $2)', [world.org.device.serial, { name: 'Traced' }]);
  });
  expect(await db.value(`select request_id from public.audit_log where after ->> 'name' = 'Traced'`)).toBe(
    'req-42',
  );
});

test('only who configures may; a read key and a viewer are forbidden', async () => {
  for (const actor of [
    world.viewer,
    world.operator,
    world.tenant,
    await makeApiKey(db, world.org.id, ['read']),
  ])
    await expectRefusal(update({ name: 'x' }, actor), 'EC403', 'forbidden');
  await expectRefusal(update({ name: 'x' }, world.strangerAdmin), 'EC404', 'not_found');
});
