import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
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

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

async function makeKey(input: Record<string, unknown>): Promise<Actor & { provisioningKey: string }> {
  const key = await db.as(world.orgAdmin, (session) =>
    session.value<{ id: string }>('select ec.create_provisioning_key($1, $2, $3, $4)', [
      world.org.id,
      { name: 'line 1', product_type: 'EC-CLIMATE-V1', ...input },
      'ec_prov_abcd',
      randomBytes(32),
    ]),
  );
  return { provisioningKey: key.id };
}
const newKey = (prefix: string, max = 5): Promise<Actor & { provisioningKey: string }> =>
  makeKey({ mode: 'new', serial_prefix: prefix, max_count: max, expires_at: inAnHour() });

test('a key for known serials registers nothing new', async () => {
  const key = await makeKey({});
  await expectRefusal(
    db.as(key, (session) => register(session, 'NEW-1')),
    'EC403',
    'forbidden',
  );
  expect(await db.value(`select count(*) from public.devices where serial = 'NEW-1'`)).toBe('0');
});

test('firmware with a key takes over the factory’s registration once, and repeats until first use', async () => {
  const [key, other] = [await makeKey({}), await makeKey({})];
  const [factory, boot, retry] = [makeSecret(), makeSecret(), makeSecret()];
  await db.as(world.apiKey, (session) => register(session, 'LINE-1', { secret: factory }));
  expect(await db.as(key, (session) => register(session, 'LINE-1', { secret: boot }))).toMatchObject({
    issued: true,
  });
  expect(await db.as(key, (session) => register(session, 'LINE-1', { secret: retry }))).toMatchObject({
    issued: true,
  });
  // Neither the factory nor another key gets one now.
  expect(await db.as(world.apiKey, (session) => register(session, 'LINE-1'))).toMatchObject({
    issued: false,
  });
  expect(await db.as(other, (session) => register(session, 'LINE-1'))).toMatchObject({ issued: false });
  const api = await db.connect('ec_api');
  for (const [secret, rows] of [
    [factory, 0],
    [boot, 0],
    [retry, 1],
  ] as const)
    expect(
      await api.query('select * from ec.resolve_device($1, $2)', ['LINE-1', secret.sha256]),
    ).toHaveLength(rows);
  expect(await db.as(key, (session) => register(session, 'LINE-1'))).toMatchObject({ issued: false });
});

test('a key for new serials keeps to its prefix, product type and count', async () => {
  const key = await newKey('PRE-', 2);
  await expectRefusal(
    db.as(key, (session) => register(session, 'OTHER-1')),
    'EC403',
    'forbidden',
  );
  await expectRefusal(
    db.as(key, (session) => register(session, 'PRE-1', { productType: 'tracker' })),
    'EC403',
    'forbidden',
  );
  for (const serial of ['PRE-1', 'PRE-1', 'PRE-2', 'PRE-2'])
    expect(await db.as(key, (session) => register(session, serial))).toMatchObject({ issued: true });
  await expectRefusal(
    db.as(key, (session) => register(session, 'PRE-3')),
    'EC403',
    'forbidden',
  );
  expect(
    await db.value('select used_count from public.provisioning_keys where id = $1', [key.provisioningKey]),
  ).toBe(2);
});

test('parallel registrations do not pass the count', async () => {
  const key = await newKey('PAR-', 3);
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, (_, i) => db.as(key, (session) => register(session, `PAR-${i}`))),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  expect(await db.value(`select count(*) from public.devices where serial like 'PAR-%'`)).toBe('3');
});

test('an expired or revoked key is no credential', async () => {
  const key = await newKey('EXP-');
  await db.query(
    `update public.provisioning_keys set expires_at = now() - interval '1 second' where id = $1`,
    [key.provisioningKey],
  );
  await expectRefusal(
    db.as(key, (session) => register(session, 'EXP-1')),
    'EC401',
    'unauthenticated',
  );
  const revoked = await newKey('REV-');
  await db.as(world.orgAdmin, (session) =>
    session.query('select ec.revoke_provisioning_key($1)', [revoked.provisioningKey]),
  );
  await expectRefusal(
    db.as(revoked, (session) => register(session, 'REV-1')),
    'EC401',
    'unauthenticated',
  );
});

test('another org’s serial is taken for a key too', async () => {
  const key = await newKey('elsewhere-');
  await expectRefusal(
    db.as(key, (session) => register(session, world.stranger.device.serial)),
    'EC409',
    'serial_taken',
  );
});

test('a key can only register', async () => {
  const key = await newKey('ONLY-');
  await db.as(key, (session) => register(session, 'ONLY-1'));
  expect(await db.as(key, (session) => session.query('select * from public.devices'))).toEqual([]);
  for (const sql of [
    `select ec.update_device('ONLY-1', '{"name":"x"}')`,
    `select ec.create_room('${world.org.id}', '{"name":"x"}')`,
    `select ec.create_api_key('${world.org.id}', 'x', 'ec_live_abcd', sha256('x'))`,
  ])
    await expectRefusal(
      db.as(key, (session) => session.query(sql)),
      'EC404',
      'not_found',
    );
});

test('a retired device does not come back by its firmware', async () => {
  const key = await newKey('GONE-');
  await db.as(key, (session) => register(session, 'GONE-1'));
  await db.query(`select ec.mark_device_authenticated('GONE-1')`);
  await db.as(world.orgAdmin, (session) => session.query(`select ec.retire_device('GONE-1')`));
  await expectRefusal(
    db.as(key, (session) => register(session, 'GONE-1')),
    'EC409',
    'conflict',
  );
});
