import { afterAll, beforeAll, expect, test } from 'vitest';
import { adviseOn } from '../../../dev/scripts/db-advisors.ts';
import { openDatabase, type Database } from '../harness/database.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

test('supabase db advisors reports no error and no warning', async () => {
  const findings = await adviseOn(db.url());
  expect(findings.filter(({ level }) => level !== 'INFO')).toEqual([]);
});

test('it does report one where there is one', async () => {
  await db.query(`create table public.forgotten (id int primary key)`);
  await db.query('grant select on public.forgotten to anon');
  await db.query(`create function public.loose() returns int language sql security definer as 'select 1'`);
  await db.query('grant execute on function public.loose() to anon');
  const names = (await adviseOn(db.url())).map(({ level, name }) => `${level} ${name}`);
  expect(names).toContain('ERROR rls_disabled_in_public');
  expect(names).toContain('WARN function_search_path_mutable');
});
