import { randomBytes } from 'node:crypto';
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

type Row = Record<string, unknown> & { id: string };
const create = (actor: Actor, scopes: string[] | null, expires: Date | null = null): Promise<Row> =>
  db.as(actor, (session) =>
    session.value('select ec.create_api_key($1, $2, $3, $4, $5, $6)', [
      world.org.id,
      'ci',
      'ec_live_abcd',
      randomBytes(32),
      scopes,
      expires,
    ]),
  );
const can = (actor: Actor, action: string): Promise<boolean> =>
  db.as(actor, (session) => session.value('select private.can($1, $2)', [world.org.id, action]));

test('without scopes it gets all its maker may give, and its row shows no hash', async () => {
  const key = await create(world.orgAdmin, null);
  expect(key).toMatchObject({
    name: 'ci',
    prefix: 'ec_live_abcd',
    scopes: ['read', 'write', 'ota', 'provision'],
  });
  expect(Object.keys(key)).not.toContain('key_sha256');
  expect((await create(world.partnerUser, null))['scopes']).toEqual(['read', 'provision']);
  const audit = await db.query(`select after from public.audit_log where action = 'api_key_created'`);
  expect(JSON.stringify(audit)).not.toContain('sha256');
});

test('more than the maker has is refused, and so are no scopes, a past expiry and unknown scopes', async () => {
  await expectRefusal(create(world.partnerUser, ['write']), 'EC403', 'forbidden');
  await expectRefusal(create(world.orgAdmin, []), 'EC400', 'invalid_request');
  await expectRefusal(create(world.orgAdmin, ['root']), 'EC403', 'forbidden');
  await expectRefusal(
    create(world.orgAdmin, ['read'], new Date(Date.now() - 1000)),
    'EC400',
    'invalid_request',
  );
});

test('only people who hand out access make, see and revoke keys', async () => {
  const key = await create(world.orgAdmin, ['read']);
  const revoke = (actor: Actor): Promise<unknown> =>
    db.as(actor, (session) => session.query('select ec.revoke_api_key($1)', [key.id]));
  for (const actor of [world.viewer, world.operator, world.apiKey]) {
    await expectRefusal(create(actor, ['read']), 'EC403', 'forbidden');
    await expectRefusal(revoke(actor), 'EC403', 'forbidden');
  }
  await expectRefusal(revoke(world.strangerAdmin), 'EC404', 'not_found');
  await revoke(world.orgAdmin);
  await revoke(world.orgAdmin);
  expect(await db.value(`select count(*) from public.audit_log where action = 'api_key_revoked'`)).toBe('1');
});

test.each([
  ['read', ['read']],
  ['write', ['control', 'configure']],
  ['ota', ['ota']],
  ['provision', ['provision']],
])('scope %s allows exactly %j', async (scope, actions) => {
  const key = await makeApiKey(db, world.org.id, [scope]);
  for (const action of ['read', 'control', 'configure', 'invite', 'ota', 'provision'])
    expect(await can(key, action), action).toBe(actions.includes(action));
});

test.each([
  ['admin', 'read control configure invite ota provision'],
  ['partnerUser', 'read configure invite provision'],
  ['orgAdmin', 'read control configure invite ota provision'],
  ['operator', 'read control'],
  ['viewer', 'read'],
  ['customer', ''],
  ['tenant', ''],
  ['outsider', ''],
  ['strangerAdmin', ''],
] as const)('%s may: %s', async (who, actions) => {
  for (const action of ['read', 'control', 'configure', 'invite', 'ota', 'provision', 'anything'])
    expect(await can(world[who], action), action).toBe(
      who.endsWith('dmin') && action === 'anything' && actions !== ''
        ? true
        : actions.split(' ').includes(action),
    );
});

test('a key ends with its revocation, its expiry and nothing else’s', async () => {
  const key = await makeApiKey(db, world.org.id, ['read']);
  const sees = async (): Promise<number> =>
    (await db.as(key, (session) => session.query('select 1 from public.devices'))).length;
  expect(await sees()).toBe(1);
  await db.query('update public.api_keys set expires_at = now() where id = $1', [key.apiKey]);
  expect(await sees()).toBe(0);
  await db.query('update public.api_keys set expires_at = null, revoked_at = now() where id = $1', [
    key.apiKey,
  ]);
  expect(await sees()).toBe(0);
});
