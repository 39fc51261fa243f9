import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

const insert = (at: string): Promise<unknown> =>
  db.query(
    `insert into public.telemetry (device_num, ts, org_num, tenure_id, data) values (1, $1, 1, 1, '{"temp": 1}')`,
    [at],
  );
const homes = async (): Promise<string[]> =>
  (
    await db.query<{ home: string }>(
      'select tableoid::regclass::text as home from public.telemetry order by ts',
    )
  ).map(({ home }) => home);

test('what found no partition is kept, and moves into it when it is made', async () => {
  await insert('2031-03-04T00:00:00Z');
  await insert('2031-03-04T23:59:59.999999Z');
  await insert('2031-03-05T00:00:00Z');
  expect(await homes()).toEqual(Array(3).fill('ec.telemetry_default'));
  await db.query(`select ec.ensure_partitions('2031-03-01T12:00:00Z', '0 days')`);
  expect(await homes()).toEqual(['ec.telemetry_20310304', 'ec.telemetry_20310304', 'ec.telemetry_default']);
});

test('making them again makes nothing, also after a month has turned', async () => {
  expect(await db.value(`select ec.ensure_partitions('2031-03-01T12:00:00Z', '0 days')`)).toBe(0);
  await db.query(`select ec.ensure_partitions('2031-03-30T23:00:00Z', '0 days')`);
  expect(
    await db.value(
      `select array_agg(relname::text order by relname) from pg_class where relname like 'rollups\\_15m\\_2031%' and relkind = 'r'`,
    ),
  ).toEqual(['rollups_15m_203103', 'rollups_15m_203104']);
});

test('retention drops whole partitions once their last reading is old enough, and empties the default one', async () => {
  await db.query(`select ec.drop_old_partitions('2031-03-12T23:59:59Z')`);
  expect(await homes()).toContain('ec.telemetry_20310304');
  await db.query(`select ec.drop_old_partitions('2031-03-13T00:00:00Z')`);
  expect(await homes()).toEqual(['ec.telemetry_default']);
  await db.query(`select ec.drop_old_partitions('2031-03-14T00:00:00Z')`);
  expect(await homes()).toEqual([]);
});

test('nobody reaches a partition past its parent', async () => {
  const open = await db.query(
    `select c.relname from pg_class c join pg_inherits i on i.inhrelid = c.oid
     where not c.relrowsecurity or has_table_privilege('authenticated', c.oid, 'select') or has_table_privilege('anon', c.oid, 'select')`,
  );
  expect(
    open.filter(({ relname }) => !String(relname).endsWith('_idx') && !String(relname).endsWith('_pkey')),
  ).toEqual([]);
});
