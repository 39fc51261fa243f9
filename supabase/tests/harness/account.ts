import { randomBytes } from 'node:crypto';
import type { Database } from './database.ts';

export interface Account {
  user: string;
  email: string;
}

/** Somebody who signed up with Auth and asked us for nothing yet, so without a profile. */
export async function makeAccount(
  db: Database,
  name: string,
  options: { email?: string; confirmed?: boolean } = {},
): Promise<Account> {
  const email = options.email ?? `${name}-${randomBytes(4).toString('hex')}@example.com`;
  const user = await db.value<string>(
    `insert into auth.users (id, email, email_confirmed_at, created_at)
     values (gen_random_uuid(), $1, case when $2 then now() end, clock_timestamp()) returning id`,
    [email, options.confirmed ?? true],
  );
  return { user, email };
}
