import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

interface Me {
  kind: string;
  id: string;
  email: string;
  memberships: Record<string, unknown>[];
}
const me = (actor: Actor): Promise<Me> => db.as(actor, (session) => session.value('select ec.me()'));

test('a first request makes the profile, a later one follows the e-mail', async () => {
  const user = await db.value<string>(
    `insert into auth.users (id, email, raw_user_meta_data) values (gen_random_uuid(), 'new@example.com', '{"full_name":"New Person"}') returning id`,
  );
  const first = await me({ user });
  expect(first).toMatchObject({
    kind: 'user',
    id: user,
    email: 'new@example.com',
    full_name: 'New Person',
    memberships: [],
  });
  await db.query(`update auth.users set email = 'renamed@example.com' where id = $1`, [user]);
  expect(await me({ user })).toMatchObject({ email: 'renamed@example.com' });
});

test('memberships name their org, partner and room, the widest first, ended ones left out', async () => {
  const user = (world.tenant as { user: string }).user;
  await db.query(`insert into public.memberships (user_id, role, org_id) values ($1, 'viewer', $2)`, [
    user,
    world.sibling.id,
  ]);
  await db.query(
    `insert into public.memberships (user_id, role, org_id, ended_at) values ($1, 'org_admin', $2, now())`,
    [user, world.stranger.id],
  );
  expect((await me(world.tenant)).memberships).toMatchObject([
    { role: 'viewer', org_name: 'harbour', org_slug: 'harbour', location_id: null },
    { role: 'tenant', org_id: world.org.id, location_id: world.org.room, location_name: 'Lab' },
  ]);
  expect((await me(world.partnerUser)).memberships).toMatchObject([
    { role: 'partner', partner_name: 'north', org_id: null },
  ]);
});

test('claims a user can set themselves mean nothing', async () => {
  const api = await db.connect('ec_api');
  await api.query('begin');
  await api.query('set local role authenticated');
  const claims = {
    sub: (world.outsider as { user: string }).user,
    role: 'authenticated',
    user_metadata: { role: 'admin', ec_kind: 'api_key' },
    app_metadata: { role: 'admin', org_ids: [world.org.id] },
  };
  await api.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claims)]);
  expect(await api.query('select 1 from public.orgs')).toEqual([]);
  expect(await api.value('select private.is_admin()')).toBe(false);
});

test('an account that was deleted, a device and nobody have no profile', async () => {
  await expectRefusal(me({ user: '00000000-0000-4000-8000-000000000000' }), 'EC401', 'unauthenticated');
  await expectRefusal(me({ device: world.org.device.id }), 'EC403', 'forbidden');
  await expectRefusal(me('nobody'), 'EC403', 'forbidden');
});

test('an API key hears its org and scopes', async () => {
  expect(await me(world.apiKey)).toMatchObject({
    kind: 'api_key',
    org_id: world.org.id,
    scopes: ['read', 'write', 'ota', 'provision'],
  });
});

test('deleting an account ends its access and its memberships', async () => {
  const user = (world.viewer as { user: string }).user;
  const epoch = await db.value<number>('select live_epoch from public.orgs where id = $1', [world.org.id]);
  await db.query('delete from auth.users where id = $1', [user]);
  expect(await db.query('select 1 from public.memberships where user_id = $1', [user])).toEqual([]);
  expect(await db.value('select live_epoch from public.orgs where id = $1', [world.org.id])).toBe(epoch + 1);
});

test('a session is live until it is gone', async () => {
  const user = (world.admin as { user: string }).user;
  const id = '11111111-1111-4111-8111-111111111111';
  const api = await db.connect('ec_api');
  const live = (): Promise<boolean> => api.value('select ec.session_is_live($1)', [id]);
  expect(await live()).toBe(false);
  await db.query('insert into auth.sessions (id, user_id) values ($1, $2)', [id, user]);
  expect(await live()).toBe(true);
  await db.query('delete from auth.sessions where id = $1', [id]);
  expect(await live()).toBe(false);
});
