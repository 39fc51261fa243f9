/** GET /orgs/:id/overview: one round trip of five queries, for the home of a fleet. */
import type { OrgOverview } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { statusOf } from './device-rows.ts';
import { requireOrg } from './rights.ts';
import { climateOf, roomPath } from './rooms.ts';

const MAX_EXCEPTIONS = 50;

export async function readOverview(db: Db, orgId: string, now: Date): Promise<OrgOverview> {
  await requireOrg(db, orgId, 'read');
  const [[counts], firmware, exceptions, rooms, activity] = await Promise.all([
    db<OrgOverview['counts'][]>`
      select count(*) as total, count(*) filter (where status = 'online') as online,
        count(*) filter (where status = 'offline') as offline, count(*) filter (where status = 'never_seen') as never_seen
      from (select ${statusOf(db)} as status ${fleet(db, orgId)}) f`,
    db<OrgOverview['firmware']>`
      select d.product_type, d.fw_version, count(*) as devices ${fleet(db, orgId)}
      group by d.product_type, d.fw_version order by devices desc, d.product_type, d.fw_version`,
    readExceptions(db, orgId),
    db<OrgOverview['rooms']>`
      select l.id, l.name, nullif(${roomPath(db)}, l.name) as path, c.devices, c.online, c.values, c.at
      from public.locations l
      left join public.locations l1 on l1.id = l.parent_id
      left join public.locations l2 on l2.id = l1.parent_id
      left join public.locations l3 on l3.id = l2.parent_id
      cross join lateral (${climateOf(db)}) c
      where l.org_id = ${orgId} and l.type = 'room' order by path nulls first, l.name, l.id`,
    db<OrgOverview['activity']>`
      select a.created_at as at, a.action, a.actor_label, a.target_kind, a.target_id,
        coalesce(l.name, a.after ->> 'name', a.before ->> 'name', case when a.target_kind = 'device' then a.target_id end)
          as target_label
      from public.audit_log a
      left join public.locations l on a.target_kind = 'location' and l.id::text = a.target_id
      where a.org_id = ${orgId} order by a.id desc limit 20`,
  ]);
  return {
    org_id: orgId,
    server_time: now.toISOString(),
    counts: counts as OrgOverview['counts'],
    firmware: [...firmware],
    exceptions: exceptions.slice(0, MAX_EXCEPTIONS).map(({ total: _, ...exception }) => exception),
    exceptions_total: exceptions[0]?.total ?? 0,
    rooms: [...rooms],
    activity: [...activity],
  };
}

function fleet(db: Db, orgId: string): ReturnType<Db> {
  return db`from public.devices d join public.product_types p on p.key = d.product_type
    left join public.device_state s on s.device_num = d.num
    where d.org_id = ${orgId} and d.lifecycle <> 'retired'`;
}

type Exception = OrgOverview['exceptions'][number] & { total: number };

/** Silent devices, devices that never spoke for a day, and refused packets of the last day; newest first. */
function readExceptions(db: Db, orgId: string): Promise<Exception[]> {
  return db<Exception[]>`
    with fleet as (
      select d.id, d.serial, d.name, l.name as location_name, d.created_at, s.last_seen, s.last_telemetry_at,
        ${statusOf(db)} as status, coalesce(d.online_window_s, p.online_window_s) as window_s
      from public.devices d join public.product_types p on p.key = d.product_type
      left join public.device_state s on s.device_num = d.num
      left join public.locations l on l.id = d.location_id
      where d.org_id = ${orgId} and d.lifecycle <> 'retired'
    ), letters as (
      select x.serial, x.device_id, max(x.received_at) as since, count(*) as count,
        (array_agg(x.reason order by x.id desc))[1] as reason
      from public.dead_letters x
      where x.org_id = ${orgId} and x.received_at > now() - interval '24 hours' group by x.serial, x.device_id
    ), exceptions as (
      select 'offline' as kind, serial as serial_no, name, location_name, last_seen as since,
        null::bigint as count, null::text as reason from fleet where status = 'offline'
      union all
      select 'stale', serial, name, location_name, last_telemetry_at, null, null
      from fleet where status = 'online' and last_telemetry_at < now() - make_interval(secs => window_s)
      union all
      select 'never_seen', serial, name, location_name, created_at, null, null
      from fleet where status = 'never_seen' and created_at < now() - interval '24 hours'
      union all
      select 'dead_letters', x.serial, f.name, f.location_name, x.since, x.count, x.reason
      from letters x left join fleet f on f.id = x.device_id
    )
    select *, count(*) over () as total from exceptions order by since desc, serial_no limit ${MAX_EXCEPTIONS}`;
}
