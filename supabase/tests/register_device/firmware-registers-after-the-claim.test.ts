import { afterAll, beforeAll, expect, test } from 'vitest';
import { claim, makeClaimable } from '../harness/claiming.ts';
import { openDatabase, type Database } from '../harness/database.ts';
import { makeProvisioningKey } from '../harness/keys.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeSecret } from '../harness/secrets.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

test('a device claimed in its box gets its secret at the first boot, and learns nothing about its holder', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'BOX-1');
  await claim(db, world.strangerAdmin, device, world.stranger.id);
  await db.as(world.strangerAdmin, (session) =>
    session.query(`select ec.update_device('BOX-1', '{"name":"Bedroom"}')`),
  );
  const key = await makeProvisioningKey(db, world.org.id);
  const secret = makeSecret();
  const reply = await db.as(key, (session) => register(session, 'BOX-1', { secret }));
  expect(reply).toMatchObject({ created: false, issued: true, claim_issued: false });
  expect(reply.device).toMatchObject({ org_id: world.org.id, name: null, location_id: null });
  expect(JSON.stringify(reply)).not.toContain(world.stranger.id);
  // It stays where it was claimed to, and its secret works.
  expect(await db.value(`select org_id from public.devices where serial = 'BOX-1'`)).toBe(world.stranger.id);
  const api = await db.connect('ec_api');
  expect(await api.query(`select * from ec.resolve_device('BOX-1', $1)`, [secret.sha256])).toHaveLength(1);
  const again = await db.as(key, (session) => register(session, 'BOX-1'));
  expect(again.issued).toBe(false);
});

test('another maker’s key finds the serial taken, and so do people of the maker', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'BOX-2');
  await claim(db, world.strangerAdmin, device, world.stranger.id);
  const foreign = await makeProvisioningKey(db, world.sibling.id);
  for (const actor of [foreign, world.orgAdmin, world.apiKey])
    await expectRefusal(
      db.as(actor, (session) => register(session, 'BOX-2')),
      'EC409',
      'serial_taken',
    );
});
