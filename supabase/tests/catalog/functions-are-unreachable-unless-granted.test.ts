import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

const OURS = `pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname in ('public', 'ec', 'private') and p.prokind <> 'a'
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`;

test('every function of ours has its search_path set to nothing', async () => {
  const loose = await db.query(
    `select p.oid::regprocedure::text as function from ${OURS} and not coalesce(p.proconfig @> array['search_path=""'], false)`,
  );
  expect(loose).toEqual([]);
  expect(await db.value<string>(`select count(*) from ${OURS}`)).not.toBe('0');
});

test('no exposed schema has a security definer function', async () => {
  const exposed = await db.query(
    `select p.oid::regprocedure::text as function from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname in ('public', 'graphql_public') and p.prosecdef`,
  );
  expect(exposed).toEqual([]);
});

test('nobody executes a function of ours without a grant by name', async () => {
  const open = await db.query(
    `select p.oid::regprocedure::text as function from ${OURS}
     and (has_function_privilege('anon', p.oid, 'execute') or has_function_privilege('service_role', p.oid, 'execute'))`,
  );
  expect(open).toEqual([]);
});

test('what authenticated may execute in ec checks permission or reads under row level security', async () => {
  const granted = await db.query<{ name: string; checks: boolean }>(
    `select p.proname as name,
       not p.prosecdef or p.prosrc ~ 'private\\.(can|can_join_topic|require_\\w+|lock_\\w+|is_admin|registering_org|my_\\w+|actor_\\w+)\\('
         or p.prosrc ~ 'ec\\.(register_device|assign_device|ensure_profile)\\(' as checks
     from ${OURS} and n.nspname = 'ec' and has_function_privilege('authenticated', p.oid, 'execute')`,
  );
  expect(granted.length).toBeGreaterThan(15);
  // What these tell is nobody's secret: whether a session id is known, how far roll-ups ran, which minutes of
  // the last seconds still wait for them. The schema is not exposed, so only our own queries call them.
  const harmless = ['session_is_live', 'rolled_until', 'unrolled_minutes'];
  expect(granted.filter(({ name, checks }) => !checks && !harmless.includes(name))).toEqual([]);
});

test('login roles reach only their own functions', async () => {
  const reach = async (role: string): Promise<string[]> => {
    const rows = await db.query<{ name: string }>(
      `select p.proname as name from ${OURS} and n.nspname = 'ec' and has_function_privilege($1, p.oid, 'execute') order by 1`,
      [role],
    );
    return rows.map(({ name }) => name);
  };
  expect(await reach('ec_broker')).toEqual(['mark_device_authenticated', 'mark_devices_authenticated']);
  for (const role of ['ec_bridge', 'ec_broker', 'ec_worker'])
    expect(await reach(role)).not.toContain('register_device');
  // ec_api gets a person's rights only by changing its role.
  expect(await reach('ec_api')).not.toContain('register_device');
});

test('a request that forgets its role reads nothing', async () => {
  const api = await db.connect('ec_api');
  await expect(api.query('select * from public.devices')).rejects.toMatchObject({ code: '42501' });
  const anonymous = await db.as('nobody', (session) => session.query('select * from public.orgs'));
  expect(anonymous).toEqual([]);
});
