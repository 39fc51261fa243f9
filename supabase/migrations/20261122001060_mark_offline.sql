-- Outages of devices (REG 5), storage only: offline_alerted_at is set once per outage and cleared when the device
-- is back; notifications hang on it later. A platform outage is not the devices': silence counts only
-- while the door a device uses was open.

create table ec.heartbeats (
  source text primary key,
  up_since timestamptz not null,
  beat_at timestamptz not null
);
alter table ec.heartbeats enable row level security;
comment on table ec.heartbeats is 'Since when a part of the platform is up without a break; bridges beat every 10 seconds';

-- A gap of more than a minute between beats is a break.
create function ec.record_heartbeat(source text, now timestamptz) returns void
language sql security definer set search_path = ''
as $$
  insert into ec.heartbeats as h (source, up_since, beat_at)
  values (record_heartbeat.source, record_heartbeat.now, record_heartbeat.now)
  on conflict on constraint heartbeats_pkey do update set
    up_since = case when h.beat_at < excluded.beat_at - interval '1 minute' then excluded.up_since else h.up_since end,
    beat_at = greatest(h.beat_at, excluded.beat_at)
$$;
comment on function ec.record_heartbeat is 'A part of the platform says that it works; bridges every 10 seconds';
grant execute on function ec.record_heartbeat to ec_bridge, ec_worker;

-- Silent for 15 minutes, or for its online window where that is longer. Returns {offline: [device_num],
-- recovered: [device_num]} of this call.
create function ec.mark_offline(now timestamptz) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  bridge_since timestamptz;
  server_since timestamptz := pg_postmaster_start_time();
  offline int[];
  recovered int[];
begin
  if not pg_try_advisory_xact_lock(hashtext('ec.mark_offline')) then
    return '{"offline": [], "recovered": []}';
  end if;
  select min(h.up_since) into bridge_since from ec.heartbeats h
  where h.source like 'bridge%' and h.beat_at > mark_offline.now - interval '1 minute';

  with back as (
    select s.device_num from public.device_state s
    where s.offline_alerted_at < s.last_seen
    order by s.device_num for no key update skip locked
  ), written as (
    update public.device_state s set offline_alerted_at = null from back b where s.device_num = b.device_num returning s.device_num
  )
  select coalesce(array_agg(w.device_num order by w.device_num), '{}') into recovered from written w;

  with silent as (
    select s.device_num
    from public.device_state s
    join public.devices d on d.id = s.device_id
    join public.product_types t on t.key = s.product_type
    where s.offline_alerted_at is null and s.last_seen is not null and d.lifecycle = 'active'
      and greatest(s.last_seen, case when s.last_door = 'https' then least(server_since, mark_offline.now) else bridge_since end)
        <= mark_offline.now - greatest(interval '15 minutes', make_interval(secs => coalesce(d.online_window_s, t.online_window_s)))
      and (s.last_door = 'https' or bridge_since is not null)
    order by s.device_num for no key update of s skip locked
  ), written as (
    update public.device_state s set offline_alerted_at = mark_offline.now
    from silent b where s.device_num = b.device_num returning s.device_num
  )
  select coalesce(array_agg(w.device_num order by w.device_num), '{}') into offline from written w;
  return jsonb_build_object('offline', to_jsonb(offline), 'recovered', to_jsonb(recovered));
end
$$;
comment on function ec.mark_offline is 'Marks outages that began and ended';
grant execute on function ec.mark_offline to ec_worker;
