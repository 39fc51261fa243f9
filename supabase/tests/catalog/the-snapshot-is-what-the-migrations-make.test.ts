import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { snapshotOf } from '../../../dev/scripts/generate/schema-snapshot.ts';
import { openDatabase, type Database } from '../harness/database.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

test('the committed snapshot is this database’s schema, whatever its Postgres', async () => {
  const committed = await readFile(join(import.meta.dirname, '../schema.snapshot.sql'), 'utf8');
  // npm run generate writes it anew; the first difference is enough to know what changed.
  const [made, kept] = [await snapshotOf(db.url()), committed].map((text) => text.split('\n'));
  const line = made!.findIndex((text, i) => text !== kept![i]);
  expect(line === -1 ? [] : made!.slice(line, line + 5)).toEqual(
    line === -1 ? [] : kept!.slice(line, line + 5),
  );
  expect(made).toHaveLength(kept!.length);
});

test.each([
  'alter policy devices_select on public.devices using (true)',
  'grant insert on public.devices to authenticated',
  'grant select (key_sha256) on public.api_keys to authenticated',
  'alter table public.devices add column extra text',
  'alter table public.devices disable row level security',
  `create or replace function private.is_admin() returns bool language sql stable set search_path = '' as 'select true'`,
  'drop index public.devices_tags_idx',
])('it would show: %s', async (change) => {
  const before = await snapshotOf(db.url());
  await db.query(change);
  expect(await snapshotOf(db.url())).not.toBe(before);
});
