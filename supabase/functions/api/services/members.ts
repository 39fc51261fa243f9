import type { Member, MemberPatch, MemberQuery } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';
import { requireOrg } from './rights.ts';
import { contains } from './search.ts';
import { isoTimes } from './times.ts';

/** Live members of an organisation, staff before customers and tenants, then by address. */
export async function listMembers(db: Db, orgId: string, query: MemberQuery): Promise<Page<Member>> {
  await requireOrg(db, orgId, 'read');
  const from = query.after === undefined ? null : decodeCursor(query.after, 3);
  const rank = db`array_position(array['org_admin', 'operator', 'viewer', 'customer', 'tenant'], m.role)`;
  const address = db`lower(coalesce(p.email, ''))`;
  const rows = await db<(Member & { rank: number; address: string })[]>`
    select m.id, m.user_id, p.email, p.full_name, m.role, m.location_id, l.name as location_name, m.created_at,
      ${rank} as rank, ${address} as address
    from public.memberships m join public.profiles p on p.id = m.user_id
    left join public.locations l on l.id = m.location_id
    where m.org_id = ${orgId} and m.ended_at is null
      ${query.role ? db`and m.role = ${query.role}` : db``}
      ${query.q ? db`and (p.email ilike ${contains(query.q)} or p.full_name ilike ${contains(query.q)})` : db``}
      ${
        from === null
          ? db``
          : db`and (${rank}, ${address}, m.id) > (${Number(from[0])}::int, ${String(from[1])}::text, ${String(from[2])}::uuid)`
      }
    order by ${rank}, ${address}, m.id limit ${query.limit + 1}`;
  const page = cutPage(rows, query.limit, (row) => [row.rank, row.address, row.id]);
  return { ...page, items: page.items.map(({ rank: _, address: __, ...member }) => member) };
}

export async function changeMember(db: Db, id: string, { role }: MemberPatch): Promise<Member> {
  const [row] = await db<{ member: Member }[]>`select ec.change_member_role(${id}, ${role}) as member`;
  return isoTimes((row as { member: Member }).member);
}

/** Their own membership anybody may end, others' who may hand it out. */
export async function endMembership(db: Db, id: string): Promise<void> {
  await db`select ec.end_membership(${id})`;
}
