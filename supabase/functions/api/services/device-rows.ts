/** The one SELECT that makes a `Device`; list, get and the portal share it. */
import type { DeviceSort } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';

type Fragment = ReturnType<Db>;

/** Needs `d` devices, `p` product_types, `s` device_state. */
export function statusOf(db: Db): Fragment {
  return db`(case
    when s.last_seen is null then 'never_seen'
    when s.last_seen > now() - make_interval(secs => coalesce(d.online_window_s, p.online_window_s, 300)) then 'online'
    else 'offline' end)`;
}

export function selectDevices(db: Db, more: Fragment): Fragment {
  return db`
    select d.id, d.serial as serial_no, d.product_type, d.fw_version, d.pending_fw_version, d.name,
      ${statusOf(db)} as status, d.lifecycle, coalesce(s.connected, false) as connected,
      s.last_seen, s.last_telemetry_at, s.last_door,
      coalesce(d.online_window_s, p.online_window_s, 300) as online_window_s,
      d.org_id, d.location_id, l.name as location_name,
      nullif(concat_ws(' · ', l3.name, l2.name, l1.name, l.name), '') as room_path,
      d.customer_id, coalesce(s.reported, '{}') as shadow_reported, s.reported_at, coalesce(s.older, '{}') as older,
      d.desired as shadow_desired, d.desired_version, d.desired_times, d.attributes, to_jsonb(d.tags) as tags,
      d.claimed_at, d.activated_at, d.retired_at, d.created_at ${more}
    from public.devices d
    left join public.product_types p on p.key = d.product_type
    left join public.device_state s on s.device_num = d.num
    left join public.locations l on l.id = d.location_id
    left join public.locations l1 on l1.id = l.parent_id
    left join public.locations l2 on l2.id = l1.parent_id
    left join public.locations l3 on l3.id = l2.parent_id`;
}

/** A tenant's row level security shows the devices of their room, for its climate; as devices they are not theirs. */
export function isMine(db: Db): Fragment {
  return db`(d.org_id = any (array(select private.my_org_ids())) or d.customer_id = (select private.my_user_id()))`;
}

/** Never null, so that a page can go on after it. */
export function sortKey(db: Db, sort: DeviceSort): Fragment {
  switch (sort.replace(/^-/, '')) {
    case 'name':
      return db`coalesce(lower(d.name), '')`;
    case 'last_seen':
      return db`coalesce(extract(epoch from s.last_seen), 0)::float8`;
    case 'product_type':
      return db`d.product_type`;
    case 'status':
      return statusOf(db);
    default:
      return db`d.serial`;
  }
}
