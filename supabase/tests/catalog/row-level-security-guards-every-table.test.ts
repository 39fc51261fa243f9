import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

test('every table of ours, partitions included, has row level security on', async () => {
  const open = await db.query(
    `select c.oid::regclass::text as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('public', 'ec', 'private') and c.relkind in ('r', 'p') and not c.relrowsecurity`,
  );
  expect(open).toEqual([]);
});

test('there is exactly one select policy per readable table, for authenticated, and none for writing', async () => {
  const policies = await db.query<{ table: string; kinds: string; roles: string }>(
    `select c.relname as table, string_agg(p.cmd, ',') as kinds, string_agg(p.roles::text, ',') as roles
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     left join pg_policies p on p.schemaname = n.nspname and p.tablename = c.relname
     where n.nspname = 'public' and c.relkind in ('r', 'p') group by 1`,
  );
  expect(policies.length).toBeGreaterThan(20);
  expect(policies.filter(({ kinds, roles }) => kinds !== 'SELECT' || roles !== '{authenticated}')).toEqual(
    [],
  );
});

test('no API role has a privilege on internal tables, partitions or hashes', async () => {
  const internal = await db.query(
    `select c.oid::regclass::text as relation, r.rolname as role
     from pg_class c join pg_namespace n on n.oid = c.relnamespace,
       (values ('anon'), ('authenticated'), ('service_role'), ('ec_api')) r (rolname)
     where n.nspname in ('ec', 'private') and c.relkind in ('r', 'p', 'v')
       and has_table_privilege(r.rolname, c.oid, 'select, insert, update, delete')`,
  );
  expect(internal).toEqual([]);
  const hashes = await db.query(
    `select a.attrelid::regclass::text || '.' || a.attname as column, r.rolname as role
     from pg_attribute a, (values ('anon'), ('authenticated'), ('service_role'), ('ec_api')) r (rolname)
     where a.attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r')
       -- What an image is recognised by is no secret.
       and (a.attrelid, a.attname) <> ('public.firmware'::regclass, 'sha256')
       and (a.attname like '%hash%' or a.attname like '%sha256%' or a.attname like '%salt%')
       and has_column_privilege(r.rolname, a.attrelid, a.attnum, 'select')`,
  );
  expect(hashes).toEqual([]);
});

test('nobody but the owner may write a table or change it', async () => {
  const writable = await db.query(
    `select c.oid::regclass::text as table, r.rolname as role, p.privilege
     from pg_class c join pg_namespace n on n.oid = c.relnamespace,
       (values ('anon'), ('authenticated'), ('service_role'), ('ec_api'), ('ec_bridge'), ('ec_broker'), ('ec_worker')) r (rolname),
       (values ('insert'), ('update'), ('delete'), ('truncate'), ('references'), ('trigger')) p (privilege)
     where n.nspname in ('public', 'ec', 'private') and c.relkind in ('r', 'p', 'v')
       and (has_table_privilege(r.rolname, c.oid, p.privilege)
         or p.privilege in ('insert', 'update') and has_any_column_privilege(r.rolname, c.oid, p.privilege))`,
  );
  expect(writable).toEqual([]);
});
