import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeSecret, sha256 } from '../harness/secrets.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const credentialOf = (serial: string): Promise<string> =>
  db.value('select id from public.device_credentials where serial = $1 and revoked_at is null', [serial]);
const revoke = (id: string, actor: Actor = world.orgAdmin): Promise<unknown> =>
  db.as(actor, (session) => session.query('select ec.revoke_credential($1)', [id]));

test('the secret is gone for HTTPS and brokers, brokers are told, and no one else’s changes', async () => {
  const secret = makeSecret();
  await db.as(world.apiKey, (session) => register(session, 'REV-1', { secret }));
  const others = await db.value(`select count(*) from ec.mqtt_credentials where serial <> 'REV-1'`);
  const broker = await db.connect('ec_broker');
  await broker.query('listen ec_credentials');
  const heard = new Promise((resolve) =>
    broker.client.once('notification', ({ payload }) => resolve(payload)),
  );
  await revoke(await credentialOf('REV-1'));
  expect(await heard).toBe('REV-1');
  expect(await db.query('select * from ec.resolve_device($1, $2)', ['REV-1', secret.sha256])).toEqual([]);
  expect(await db.query(`select * from ec.mqtt_credentials where serial = 'REV-1'`)).toEqual([]);
  expect(await db.value(`select count(*) from ec.mqtt_credentials where serial <> 'REV-1'`)).toBe(others);
});

test('the last secret’s end clears what the broker retains for the device', async () => {
  await db.as(world.apiKey, (session) => register(session, 'REV-2'));
  await revoke(await credentialOf('REV-2'));
  const cleared = await db.query(
    `select topic, payload, retain from ec.mqtt_outbox where serial = 'REV-2' order by topic`,
  );
  expect(cleared).toEqual([
    { topic: 'devices/REV-2/config', payload: '', retain: true },
    { topic: 'devices/REV-2/shadow/desired', payload: '', retain: true },
  ]);
});

test('repeating it changes nothing and writes one audit row', async () => {
  await db.as(world.apiKey, (session) => register(session, 'REV-3'));
  const id = await credentialOf('REV-3');
  await revoke(id);
  await revoke(id);
  expect(
    await db.value(
      `select count(*) from public.audit_log where action = 'credential_revoked' and target_id = 'REV-3'`,
    ),
  ).toBe('1');
});

test('foreign and missing secrets are the same 404, and readers are forbidden', async () => {
  const foreign = await expectRefusal(
    revoke(await credentialOf(world.stranger.device.serial)),
    'EC404',
    'not_found',
  );
  const missing = await expectRefusal(revoke(world.org.id), 'EC404', 'not_found');
  expect(foreign).toEqual(missing);
  await expectRefusal(
    revoke(await credentialOf(world.org.device.serial), world.viewer),
    'EC403',
    'forbidden',
  );
});

test('a key resolves while it lives, with its org, scopes and plan', async () => {
  const api = await db.connect('ec_api');
  const secret = sha256('ec_live_something');
  const resolve = (): Promise<unknown[]> =>
    api.query('select id, org_id, scopes, plan from ec.resolve_credential($1, $2)', ['api_key', secret]);
  const key = await db.as(world.orgAdmin, (session) =>
    session.value<{ id: string }>('select ec.create_api_key($1, $2, $3, $4, $5)', [
      world.org.id,
      'ci',
      'ec_live_some',
      secret,
      ['read'],
    ]),
  );
  expect(await resolve()).toEqual([{ id: key.id, org_id: world.org.id, scopes: ['read'], plan: 'starter' }]);
  expect(
    await api.query('select * from ec.resolve_credential($1, $2)', ['provisioning_key', secret]),
  ).toEqual([]);
  expect(await db.value('select last_used_at is not null from public.api_keys where id = $1', [key.id])).toBe(
    true,
  );
  await db.query(`update public.api_keys set expires_at = now() where id = $1`, [key.id]);
  expect(await resolve()).toEqual([]);
});
