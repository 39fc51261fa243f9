import type { UserAccount, UserQuery } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';

/** Everybody who ever signed in, the newest first. Administrators only. */
export async function listUsers(db: Db, query: UserQuery): Promise<Page<UserAccount>> {
  const from = query.after === undefined ? [null, null] : decodeCursor(query.after, 2);
  const rows = await db<(UserAccount & { exact: string })[]>`
    select u.id, u.email, u.full_name, u.created_at, u.memberships, u.created_at::text as exact
    from ec.list_users(${query.q ?? null}, ${query.limit + 1}, ${from[0] ?? null}::text::timestamptz,
      ${from[1] ?? null}::text::uuid) u`;
  const page = cutPage(rows, query.limit, (row) => [row.exact, row.id]);
  return { ...page, items: page.items.map(({ exact: _, ...user }) => user) };
}
