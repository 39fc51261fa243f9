import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { makeProvisioningKey } from '../harness/keys.ts';
import { expectRefusal, refusalOf } from '../harness/refusal.ts';
import { setDesired, type ShadowReply } from '../harness/wire.ts';
import { makeApiKey, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const set = (actor: Actor, patch: unknown = { fan: 3 }): Promise<ShadowReply> =>
  setDesired(db, actor, world.org.device.serial, patch);

test('who controls the org’s devices sets any key', async () => {
  const writer = await makeApiKey(db, world.org.id, ['write']);
  const version = (await set(world.orgAdmin)).desired_version;
  for (const [n, actor] of [world.admin, world.operator, world.apiKey, writer].entries())
    expect((await set(actor, { fan: 10 + n })).desired_version).toBe(version + n + 1);
});

describe('a customer', () => {
  test('sets the keys the product type leaves to customers, on their own device', async () => {
    const reply = await set(world.customer, { relay: true, setpoint: 19 });
    expect(reply.desired).toMatchObject({ relay: true, setpoint: 19 });
    expect((await set(world.customer, { relay: null })).desired).not.toHaveProperty('relay');
  });

  test('sets no other key, not even together with an allowed one', async () => {
    const refusal = await expectRefusal(
      set(world.customer, { relay: true, fan: 1, mode: 2 }),
      'EC403',
      'forbidden',
    );
    expect(refusal.hint).toEqual({ keys: ['fan', 'mode'] });
    expect(refusal.detail).toContain('fan, mode');
  });

  test('sets nothing once it is theirs no more', async () => {
    await db.query(
      `update public.memberships set ended_at = now() where user_id = $1 returning private.start_tenure($2, true)`,
      [(world.customer as { user: string }).user, world.org.device.id],
    );
    await expectRefusal(set(world.customer, { relay: true }), 'EC404', 'not_found');
  });
});

test('who may only read is told so', async () => {
  const reader = await makeApiKey(db, world.org.id, ['read']);
  for (const actor of [world.viewer, world.partnerUser, world.tenant, reader])
    await expectRefusal(set(actor, { relay: true }), 'EC403', 'forbidden');
});

test('for everybody else the device is missing, exactly as one that does not exist', async () => {
  const missing = await refusalOf(setDesired(db, world.strangerAdmin, 'NOBODY-001', { relay: true }));
  expect(missing).toMatchObject({ state: 'EC404', code: 'not_found' });
  const line = await makeProvisioningKey(db, world.org.id);
  const others: Actor[] = [world.strangerAdmin, world.outsider, line, { device: world.org.device.id }];
  for (const actor of [...others, 'nobody' as const])
    expect(await refusalOf(set(actor, { relay: true }))).toEqual(missing);
});

test('a retired device is told nothing more', async () => {
  const { serial } = world.sibling.device;
  await db.as(world.admin, (session) => session.query('select ec.retire_device($1, true)', [serial]));
  // It had never sent a packet, so it is gone for good.
  await expectRefusal(setDesired(db, world.admin, serial, { relay: true }), 'EC404', 'not_found');
  await db.query('update public.devices set activated_at = now() where id = $1', [world.stranger.device.id]);
  await db.as(world.admin, (session) =>
    session.query('select ec.retire_device($1, true)', [world.stranger.device.serial]),
  );
  await expectRefusal(
    setDesired(db, world.strangerAdmin, world.stranger.device.serial, { relay: true }),
    'EC409',
    'conflict',
  );
});
