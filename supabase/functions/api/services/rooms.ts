/** A room as its tenant sees it: its climate, and nothing of the devices that measure it. */
import type { RoomClimate, TelemetryBuckets } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { missing } from './devices.ts';
import { mergeBuckets } from './merge-buckets.ts';

type Fragment = ReturnType<Db>;

/** Needs l (the room) and l1 … l3 (what it lies in). */
export const roomPath = (db: Db): Fragment => db`concat_ws(' · ', l3.name, l2.name, l1.name, l.name)`;

/** What a room's climate is; batteries and signals are the org's business. */
export const CLIMATE_METRICS = ['temp', 'hum', 'co2'];

/** devices, online, values (mean of what online devices report) and at, of the room `l`. */
export const climateOf = (db: Db): Fragment => db`
  select count(*) as devices, count(*) filter (where f.online) as online,
    max(f.reported_at) filter (where f.online) as at,
    coalesce((
      select jsonb_object_agg(v.key, v.mean) from (
        select m.key, round(avg((o.reported ->> m.key)::float8)::numeric, 3) as mean
        from public.device_state o
        join public.devices od on od.num = o.device_num and od.location_id = l.id and od.lifecycle <> 'retired'
        join public.product_types op on op.key = od.product_type
        cross join unnest(${CLIMATE_METRICS}::text[]) as m (key)
        where o.last_seen > now() - make_interval(secs => coalesce(od.online_window_s, op.online_window_s))
          and jsonb_typeof(o.reported -> m.key) = 'number'
        group by m.key
      ) v
    ), '{}') as values
  from (
    select s.reported_at,
      coalesce(s.last_seen > now() - make_interval(secs => coalesce(d.online_window_s, p.online_window_s)), false) as online
    from public.devices d join public.product_types p on p.key = d.product_type
    left join public.device_state s on s.device_num = d.num
    where d.location_id = l.id and d.lifecycle <> 'retired'
  ) f`;

export async function readRoom(db: Db, id: string): Promise<RoomClimate> {
  const [room] = await db<(RoomClimate & { online: number; seen: boolean })[]>`
    select l.id, l.name, nullif(${roomPath(db)}, l.name) as path,
      coalesce(l.timezone, l1.timezone, l2.timezone, l3.timezone, o.timezone) as timezone,
      l.org_id, o.name as org_name, jsonb_build_object('name', o.name, 'slug', o.slug, 'brand', o.brand) as org,
      o.brand ->> 'contact_email' as contact_email, c.values, c.at,
      case when c.online > 0 then 'online' when c.devices > 0 and exists (
        select from public.device_state s join public.devices d on d.num = s.device_num
        where d.location_id = l.id and s.last_seen is not null) then 'offline' else 'never_seen' end as status
    from public.locations l
    join public.orgs o on o.id = l.org_id
    left join public.locations l1 on l1.id = l.parent_id
    left join public.locations l2 on l2.id = l1.parent_id
    left join public.locations l3 on l3.id = l2.parent_id
    cross join lateral (${climateOf(db)}) c
    where l.id = ${id} and l.type = 'room'`;
  if (room === undefined) throw missing();
  return room;
}

/** Temperature, humidity and CO₂ over all devices of the room. */
export async function readRoomBuckets(db: Db, id: string, hours: number): Promise<TelemetryBuckets> {
  const [room] = await db`select from public.locations l where l.id = ${id} and l.type = 'room'`;
  if (room === undefined) throw missing();
  const rows = await db<{ buckets: TelemetryBuckets }[]>`
    select ec.telemetry_buckets(d.serial, ${hours}, ${CLIMATE_METRICS}::text[]) as buckets
    from public.devices d where d.location_id = ${id} and d.lifecycle <> 'retired' order by d.serial limit 50`;
  const to = new Date();
  const empty = {
    bucket_s: 60,
    from: new Date(to.getTime() - hours * 3_600_000).toISOString(),
    to: to.toISOString(),
    series: {},
  };
  return mergeBuckets(rows.map((row) => row.buckets)) ?? empty;
}
