import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeSecret, type DeviceSecret } from '../harness/secrets.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

async function makeDevice(serial: string): Promise<{ id: string; secret: DeviceSecret }> {
  const secret = makeSecret();
  const { device } = await db.as(world.apiKey, (session) => register(session, serial, { secret }));
  return { id: device.id, secret };
}
const rotate = (
  id: string,
  secret: DeviceSecret,
  overlap: number | null = 60,
  actor: Actor = world.orgAdmin,
): Promise<{ id: string; old_expires_at: string | null }> =>
  db.as(actor, (session) =>
    session.value('select ec.rotate_credential($1, $2, $3, $4, $5)', [
      id,
      secret.sha256,
      secret.passwordHash,
      secret.salt,
      overlap,
    ]),
  );
const works = async (serial: string, { sha256 }: DeviceSecret): Promise<boolean> =>
  (await db.query('select * from ec.resolve_device($1, $2)', [serial, sha256])).length === 1;

test('both secrets work during the overlap, on HTTPS and for brokers, newest told apart', async () => {
  const { id, secret } = await makeDevice('ROT-1');
  const fresh = makeSecret();
  const result = await rotate(id, fresh);
  expect(Date.parse(result.old_expires_at!) - Date.now()).toBeGreaterThan(50_000);
  expect([await works('ROT-1', secret), await works('ROT-1', fresh)]).toEqual([true, true]);
  const rows = await db.query(
    `select password_hash from ec.mqtt_credentials where serial = 'ROT-1' order by created_at desc`,
  );
  expect(rows.map((row) => row['password_hash'])).toEqual([fresh.passwordHash, secret.passwordHash]);
});

test('when the overlap ends only the new one works, and brokers are told', async () => {
  const { id, secret } = await makeDevice('ROT-2');
  const fresh = makeSecret();
  await rotate(id, fresh, 30);
  const broker = await db.connect('ec_broker');
  await broker.query('listen ec_credentials');
  const heard = new Promise((resolve) =>
    broker.client.once('notification', ({ payload }) => resolve(payload)),
  );
  await db.query(
    `update public.device_credentials set expires_at = now() - interval '1 s' where serial = 'ROT-2' and expires_at is not null`,
  );
  expect([await works('ROT-2', secret), await works('ROT-2', fresh)]).toEqual([false, true]);
  expect(await db.value('select ec.expire_credentials(now())')).toBe(1);
  expect(await heard).toBe('ROT-2');
  expect(await db.value('select ec.expire_credentials(now())')).toBe(0);
});

test('a second rotation does not prolong the first secret', async () => {
  const { id, secret } = await makeDevice('ROT-3');
  await rotate(id, makeSecret(), 10);
  await rotate(id, makeSecret(), 3600);
  const left = await db.value<Date>(
    'select expires_at from public.device_credentials where secret_sha256 = $1',
    [secret.sha256],
  );
  expect(left.getTime() - Date.now()).toBeLessThan(11_000);
});

test('an overlap of 0 ends the old secret at once; odd overlaps are refused', async () => {
  const { id, secret } = await makeDevice('ROT-4');
  await rotate(id, makeSecret(), 0);
  expect(await works('ROT-4', secret)).toBe(false);
  for (const overlap of [-1, 604_801, null])
    await expectRefusal(rotate(id, makeSecret(), overlap), 'EC400', 'invalid_request');
});

test('who may not register may not rotate, and foreign is like missing', async () => {
  const { id } = await makeDevice('ROT-5');
  for (const actor of [world.operator, world.viewer])
    await expectRefusal(rotate(id, makeSecret(), 60, actor), 'EC403', 'forbidden');
  const foreign = await expectRefusal(rotate(world.stranger.device.id, makeSecret()), 'EC404', 'not_found');
  const missing = await expectRefusal(rotate(world.org.id, makeSecret()), 'EC404', 'not_found');
  expect(foreign).toEqual(missing);
});
