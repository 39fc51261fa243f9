import type { Org, OrgCreate, OrgListQuery, OrgPatch } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { cutPage } from './page.ts';
import type { Page } from './page.ts';
import { decodeCursor } from './page.ts';
import { statusOf } from './device-rows.ts';
import { missing } from './devices.ts';
import { contains } from './search.ts';

type Fragment = ReturnType<Db>;

/** Orgs the actor may read as a whole, with how many devices they have and how many are online. */
function selectOrgs(db: Db, more: Fragment = db``): Fragment {
  return db`
    select o.id, o.name, o.slug, o.plan, o.product, o.timezone, o.partner_id, o.brand, o.created_at,
      coalesce(c.devices, 0) as devices, coalesce(c.online, 0) as online ${more}
    from public.orgs o
    left join (
      select d.org_id, count(*) as devices, count(*) filter (where ${statusOf(db)} = 'online') as online
      from public.devices d join public.product_types p on p.key = d.product_type
      left join public.device_state s on s.device_num = d.num
      where d.lifecycle <> 'retired' group by d.org_id
    ) c on c.org_id = o.id
    where o.id = any (array(select private.my_org_ids()))`;
}

export async function listOrgs(db: Db, { limit, after, q }: OrgListQuery): Promise<Page<Org>> {
  const from = after === undefined ? null : decodeCursor(after, 2);
  // Postgres' idea of lower case, which is not JavaScript's.
  const rows = await db<(Org & { sort_key: string })[]>`
    ${selectOrgs(db, db`, lower(o.name) as sort_key`)}
    ${q ? db`and (o.name ilike ${contains(q)} or o.slug ilike ${contains(q)})` : db``}
    ${from === null ? db`` : db`and (lower(o.name), o.id) > (${String(from[0])}::text, ${String(from[1])}::uuid)`}
    order by lower(o.name), o.id limit ${limit + 1}`;
  const page = cutPage(rows, limit, (org) => [org.sort_key, org.id]);
  return { ...page, items: page.items.map(({ sort_key: _, ...org }) => org) };
}

export async function getOrg(db: Db, id: string): Promise<Org> {
  const [org] = await db<Org[]>`${selectOrgs(db)} and o.id = ${id}`;
  if (org === undefined) throw missing();
  return org;
}

export async function createOrg(db: Db, input: OrgCreate): Promise<Org> {
  const [row] = await db<{ id: string }[]>`
    select ec.create_org(${JSON.stringify(input)}::text::jsonb) ->> 'id' as id`;
  return getOrg(db, (row as { id: string }).id);
}

export async function patchOrg(db: Db, id: string, patch: OrgPatch): Promise<Org> {
  await db`select ec.update_org(${id}, ${JSON.stringify(patch)}::text::jsonb)`;
  return getOrg(db, id);
}
