import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let user: string;
let session_id: string;
/** What PostgREST and Realtime sign in as: they look at the signature and the time of a token, and no further. */
let door: Session;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  await db.query('update public.orgs set live_epoch = 1');
  user = (world.viewer as { user: string }).user;
  door = await db.connect('authenticator');
});
beforeEach(async () => {
  session_id = await db.value(
    'insert into auth.sessions (id, user_id) values (gen_random_uuid(), $1) returning id',
    [user],
  );
});
afterAll(() => db.drop());

async function withToken<Result>(claims: object, work: () => Promise<Result>): Promise<Result> {
  await door.query('begin');
  try {
    await door.query('set local role authenticated');
    await door.query(`select set_config('request.jwt.claims', $1, true)`, [
      JSON.stringify({ role: 'authenticated', sub: user, ...claims }),
    ]);
    return await work();
  } finally {
    await door.query('rollback');
  }
}

const TABLES = ['devices', 'orgs', 'locations', 'memberships', 'profiles', 'device_state', 'audit_log'];
const seen = (claims: object): Promise<Record<string, number>> =>
  withToken(claims, async () => {
    const counts: Record<string, number> = {};
    for (const table of TABLES)
      counts[table] = await door.value<number>(`select count(*)::int from public.${table}`);
    return counts;
  });
const joins = (claims: object): Promise<boolean> =>
  withToken(claims, () => door.value('select private.can_join_topic($1)', [`org:${world.org.id}:1`]));
const nothing = Object.fromEntries(TABLES.map((table) => [table, 0]));

test('a live session reads and listens; from the moment it is gone, its token does neither', async () => {
  for (const count of Object.values(await seen({ session_id }))) expect(count).toBeGreaterThan(0);
  expect(await joins({ session_id })).toBe(true);
  await db.query('delete from auth.sessions where id = $1', [session_id]);
  expect(await seen({ session_id })).toEqual(nothing);
  expect(await joins({ session_id })).toBe(false);
});

test('a session that never was is nobody’s', async () => {
  expect(await seen({ session_id: randomUUID() })).toEqual(nothing);
});

test('a token for live topics listens to them and reads no table', async () => {
  const topic = `org:${world.org.id}:1`;
  const { apiKey } = world.apiKey as { apiKey: string };
  for (const claims of [{ session_id }, { sub: undefined, ec_kind: 'api_key', ec_id: apiKey }]) {
    expect((await seen(claims))['devices']).toBeGreaterThan(0);
    const live = { ...claims, ec_topics: [topic] };
    expect(await seen(live)).toEqual(nothing);
    const hears = await withToken(live, async () => {
      await door.query(`select set_config('realtime.topic', $1, true)`, [topic]);
      return door.value('select private.can_join_topic($1)', [topic]);
    });
    expect(hears).toBe(true);
  }
});

test('customers and tenants lose sight of their things as well', async () => {
  for (const actor of [world.customer, world.tenant]) {
    const { user: sub } = actor as { user: string };
    expect((await seen({ sub, session_id }))['devices']).toBe(1);
    expect(await seen({ sub, session_id: randomUUID() })).toEqual(nothing);
  }
});

test('the API, which asks by itself, pays nothing for it', async () => {
  const rows = await db.as(world.viewer, async (session) => {
    await session.query(`select set_config('request.jwt.claims', $1, true)`, [
      JSON.stringify({ role: 'authenticated', sub: user, session_id: randomUUID() }),
    ]);
    return session.query('select 1 from public.orgs');
  });
  expect(rows).toHaveLength(1);
});
