import type {
  Partner,
  PartnerCreate,
  PartnerListQuery,
  PartnerOrg,
  PartnerPatch,
  PartnerStats,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { missing } from './devices.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';
import { contains } from './search.ts';

type Fragment = ReturnType<Db>;

const selectPartners = (db: Db, more: Fragment = db``): Fragment => db`
  select p.id, p.name, p.slug, p.contact_email, p.plan, p.created_at ${more} from public.partners p`;

export async function listPartners(db: Db, { limit, after, q }: PartnerListQuery): Promise<Page<Partner>> {
  const from = after === undefined ? null : decodeCursor(after, 2);
  const rows = await db<(Partner & { sort_key: string })[]>`
    ${selectPartners(db, db`, lower(p.name) as sort_key`)} where true
    ${q ? db`and (p.name ilike ${contains(q)} or p.slug ilike ${contains(q)})` : db``}
    ${from === null ? db`` : db`and (lower(p.name), p.id) > (${String(from[0])}::text, ${String(from[1])}::uuid)`}
    order by lower(p.name), p.id limit ${limit + 1}`;
  const page = cutPage(rows, limit, (partner) => [partner.sort_key, partner.id]);
  return { ...page, items: page.items.map(({ sort_key: _, ...partner }) => partner) };
}

export async function getPartner(db: Db, id: string): Promise<Partner> {
  const [partner] = await db<Partner[]>`${selectPartners(db)} where p.id = ${id}`;
  if (partner === undefined) throw missing();
  return partner;
}

export async function createPartner(db: Db, input: PartnerCreate): Promise<Partner> {
  const [row] = await db<{ id: string }[]>`
    select ec.create_partner(${JSON.stringify(input)}::text::jsonb) ->> 'id' as id`;
  return getPartner(db, (row as { id: string }).id);
}

export async function patchPartner(db: Db, id: string, patch: PartnerPatch): Promise<Partner> {
  await db`select ec.update_partner(${id}, ${JSON.stringify(patch)}::text::jsonb)`;
  return getPartner(db, id);
}

export async function partnerStats(db: Db, id: string): Promise<PartnerStats> {
  await requirePartner(db, id);
  const [stats] = await db<PartnerStats[]>`
    select (select count(*) from public.orgs o where o.partner_id = ${id}) as orgs,
      count(*) as total_devices,
      count(*) filter (where s.last_seen > now() - make_interval(secs => coalesce(d.online_window_s, t.online_window_s)))
        as online_devices,
      count(*) filter (where s.last_seen > now() - interval '24 hours') as active_devices
    from public.orgs o join public.devices d on d.org_id = o.id and d.lifecycle <> 'retired'
    join public.product_types t on t.key = d.product_type
    left join public.device_state s on s.device_num = d.num
    where o.partner_id = ${id}`;
  return stats as PartnerStats;
}

/** anomalies_open counts deviations of the last 24 hours that nobody handled yet. */
export async function partnerOrgs(db: Db, id: string): Promise<PartnerOrg[]> {
  await requirePartner(db, id);
  return db<PartnerOrg[]>`
    select o.id, o.name, o.slug, o.plan, count(d.id) as devices,
      count(*) filter (where s.last_seen > now() - make_interval(secs => coalesce(d.online_window_s, t.online_window_s)))
        as online,
      (select count(*) from public.deviations v
        where v.org_num = o.num and v.handled_at is null and v.ts > now() - interval '24 hours') as anomalies_open,
      max(s.last_seen) as last_activity_at
    from public.orgs o
    left join public.devices d on d.org_id = o.id and d.lifecycle <> 'retired'
    left join public.product_types t on t.key = d.product_type
    left join public.device_state s on s.device_num = d.num
    where o.partner_id = ${id}
    group by o.id order by lower(o.name), o.id`;
}

export async function requirePartner(db: Db, id: string): Promise<void> {
  const [partner] = await db`select from public.partners p where p.id = ${id}`;
  if (partner === undefined) throw missing();
}
