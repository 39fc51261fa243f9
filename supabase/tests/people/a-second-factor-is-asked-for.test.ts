import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { openDatabase, type Database, type Session } from '../harness/database.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

test('a session with one factor does not count once a second is set up', async () => {
  const { user } = await makeAccount(db, 'careful');
  const id = '22222222-2222-4222-8222-222222222222';
  await db.query('insert into auth.sessions (id, user_id) values ($1, $2)', [id, user]);
  const api = await db.connect('ec_api');
  const live = (session: Session = api): Promise<boolean> =>
    session.value('select ec.session_is_live($1)', [id]);
  expect(await live()).toBe(true);

  // As hosted Auth keeps them; the local one has none.
  const auth = await db.connect('supabase_admin');
  await auth.query(
    `create table if not exists auth.mfa_factors (id uuid primary key, user_id uuid not null, status text not null)`,
  );
  await auth.query('alter table auth.sessions add column if not exists aal text');
  await auth.query('grant select on auth.mfa_factors to postgres');
  expect(await live()).toBe(true);
  await auth.query(`insert into auth.mfa_factors (id, user_id, status) values ($1, $2, 'unverified')`, [
    id,
    user,
  ]);
  expect(await live()).toBe(true);
  await auth.query(`update auth.mfa_factors set status = 'verified'`);
  expect(await live()).toBe(false);
  await auth.query(`update auth.sessions set aal = 'aal1' where id = $1`, [id]);
  expect(await live()).toBe(false);
  await auth.query(`update auth.sessions set aal = 'aal2' where id = $1`, [id]);
  expect(await live()).toBe(true);
});
