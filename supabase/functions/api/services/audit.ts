import type { AuditEntry, AuditQuery } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';
import { requireOrg } from './rights.ts';
import { contains } from './search.ts';

/** Newest first. */
export async function listAudit(db: Db, orgId: string, query: AuditQuery): Promise<Page<AuditEntry>> {
  await requireOrg(db, orgId, 'read');
  const from = query.after === undefined ? null : decodeCursor(query.after, 1);
  const rows = await db<AuditEntry[]>`
    select a.id, a.org_id, a.action, a.created_at, coalesce(a.actor_label, 'system') as actor, a.actor_kind,
      a.actor_id, a.target_kind, a.target_id, a.before, a.after, a.request_id, host(a.address) as address
    from public.audit_log a
    where a.org_id = ${orgId}
      ${query.action ? db`and a.action = ${query.action}` : db``}
      ${query.actor ? db`and coalesce(a.actor_label, 'system') ilike ${contains(query.actor)}` : db``}
      ${query.target ? db`and a.target_id = ${query.target}` : db``}
      ${query.from ? db`and a.created_at >= ${query.from}::timestamptz` : db``}
      ${query.to ? db`and a.created_at < ${query.to}::timestamptz` : db``}
      ${from === null ? db`` : db`and a.id < ${Number(from[0])}`}
    order by a.id desc limit ${query.limit + 1}`;
  return cutPage(rows, query.limit, (row) => [row.id]);
}
