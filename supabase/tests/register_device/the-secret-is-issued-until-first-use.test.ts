import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeSecret } from '../harness/secrets.ts';
import { makeApiKey, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const resolves = async (serial: string, sha256: Buffer): Promise<boolean> => {
  const api = await db.connect('ec_api');
  return (await api.query('select * from ec.resolve_device($1, $2)', [serial, sha256])).length === 1;
};
const liveCodes = (serial: string): Promise<Buffer[]> =>
  db
    .query<{ code: Buffer }>(
      `select c.code_sha256 as code from public.claim_codes c join public.devices d on d.id = c.device_id
       where d.serial = $1 and c.revoked_at is null`,
      [serial],
    )
    .then((rows) => rows.map(({ code }) => code));

test('a lost reply bricks nothing: repeating replaces the unused secret and the claim code', async () => {
  const [first, second] = [makeSecret(), makeSecret()];
  await db.as(world.apiKey, (session) => register(session, 'SEC-1', { secret: first }));
  const repeated = await db.as(world.apiKey, (session) => register(session, 'SEC-1', { secret: second }));
  expect(repeated).toMatchObject({ created: false, issued: true, claim_issued: true });
  expect(await liveCodes('SEC-1')).toEqual([second.claim]);
  expect(await resolves('SEC-1', first.sha256)).toBe(false);
  expect(await resolves('SEC-1', second.sha256)).toBe(true);
});

test('after the device authenticated over HTTPS no registration shows a secret again', async () => {
  const [first, second] = [makeSecret(), makeSecret()];
  await db.as(world.apiKey, (session) => register(session, 'SEC-2', { secret: first }));
  expect(await resolves('SEC-2', first.sha256)).toBe(true);
  const repeated = await db.as(world.apiKey, (session) => register(session, 'SEC-2', { secret: second }));
  expect(repeated).toMatchObject({ issued: false, claim_issued: false });
  expect(await resolves('SEC-2', second.sha256)).toBe(false);
  expect(await resolves('SEC-2', first.sha256)).toBe(true);
});

test('after a broker let the device in no registration shows a secret again', async () => {
  await db.as(world.apiKey, (session) => register(session, 'SEC-3'));
  const broker = await db.connect('ec_broker');
  await broker.query('select ec.mark_device_authenticated($1)', ['SEC-3']);
  expect(await db.as(world.apiKey, (session) => register(session, 'SEC-3'))).toMatchObject({ issued: false });
});

test('a rotation after first use does not reopen the door', async () => {
  const secret = makeSecret();
  const { device } = await db.as(world.apiKey, (session) => register(session, 'SEC-4', { secret }));
  await resolves('SEC-4', secret.sha256);
  const { sha256, passwordHash, salt } = makeSecret();
  await db.as(world.apiKey, (session) =>
    session.query('select ec.rotate_credential($1, $2, $3, $4)', [device.id, sha256, passwordHash, salt]),
  );
  expect(await db.as(world.apiKey, (session) => register(session, 'SEC-4'))).toMatchObject({ issued: false });
});

test('a revoked key registers nothing', async () => {
  const key = await makeApiKey(db, world.org.id, ['provision']);
  await db.query('update public.api_keys set revoked_at = now() where id = $1', [key.apiKey]);
  await expectRefusal(
    db.as(key, (session) => register(session, 'SEC-5')),
    'EC401',
    'unauthenticated',
  );
});

test('brokers hear of a new secret and read it in Mosquitto’s and EMQX’s form', async () => {
  const broker = await db.connect('ec_broker');
  await broker.query('listen ec_credentials');
  const heard = new Promise<string | undefined>((resolve) =>
    broker.client.once('notification', ({ payload }) => resolve(payload)),
  );
  const secret = makeSecret();
  await db.as(world.apiKey, (session) => register(session, 'SEC-6', { secret }));
  expect(await heard).toBe('SEC-6');
  const [row] = await broker.query(
    `select password_hash, salt, password_hash_hex, expires_at from ec.mqtt_credentials where serial = 'SEC-6'`,
  );
  const hash = Buffer.from(secret.passwordHash.split('$')[4]!, 'base64');
  expect(row).toEqual({
    password_hash: secret.passwordHash,
    salt: secret.salt,
    password_hash_hex: hash.toString('hex'),
    expires_at: null,
  });
});

test('a retired device comes back with a new secret, and its old ones stay dead', async () => {
  const [old, fresh] = [makeSecret(), makeSecret()];
  await db.as(world.apiKey, (session) => register(session, 'SEC-7', { secret: old }));
  await resolves('SEC-7', old.sha256);
  await db.as(world.apiKey, (session) => session.query(`select ec.retire_device('SEC-7', true)`));
  expect(await resolves('SEC-7', old.sha256)).toBe(false);
  const back = await db.as(world.apiKey, (session) => register(session, 'SEC-7', { secret: fresh }));
  expect(back).toMatchObject({ created: false, issued: true, device: { lifecycle: 'manufactured' } });
  // Also when that reply is lost.
  const again = makeSecret();
  expect(await db.as(world.apiKey, (session) => register(session, 'SEC-7', { secret: again }))).toMatchObject(
    {
      issued: true,
    },
  );
  expect(await resolves('SEC-7', old.sha256)).toBe(false);
  expect(await resolves('SEC-7', again.sha256)).toBe(true);
});
