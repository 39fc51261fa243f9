-- Presence: birth and last will, and the shadow documents devices report outside telemetry.
-- `connected` is the broker session; online or offline is last_seen against the window (REG 5).

-- items: [{"s": serial, "online": bool, "r": arrival in µs since the epoch}], in the order they arrived.
-- A will that the broker sends late, after a newer message of the device, changes nothing.
create function ec.record_status(items json) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  rounds int;
  changed int[] := '{}';
  flipped int[];
begin
  perform from public.device_state s
    where s.serial in (select p.s from json_to_recordset(items) as p (s text)) order by s.device_num for no key update;

  -- Several messages of one device take turns: each is judged by what the one before it left.
  select max(n) into rounds from (
    select count(*) as n from json_to_recordset(items) as p (s text) group by p.s) x;
  for turn in 1 .. coalesce(rounds, 0) loop
    with arrived as (
      select p.s, p.online, to_timestamp(p.r::float8 / 1e6) as at, row_number() over (partition by p.s order by p.o) as n
      from rows from (json_to_recordset(items) as (s text, online bool, r bigint)) with ordinality as p (s, online, r, o)
    ), judged as (
      select s.device_num, a.online, a.at, s.connected <> a.online
        and a.at >= coalesce(s.connected_changed_at, a.at)
        and (a.online or a.at >= coalesce(case when s.last_door = 'mqtt' then s.last_seen end, a.at)) as flips
      from arrived a join public.device_state s on s.serial = a.s
      where a.n = turn
    ), written as (
      update public.device_state s set
        connected = case when j.flips then j.online else s.connected end,
        connected_changed_at = case when j.flips then j.at else s.connected_changed_at end,
        last_seen = case when j.online then greatest(s.last_seen, j.at) else s.last_seen end,
        last_door = case when j.online then 'mqtt' else s.last_door end
      from judged j
      where s.device_num = j.device_num and (j.flips or j.online)
      returning s.device_num, j.flips
    )
    select coalesce(array_agg(w.device_num) filter (where w.flips), '{}') into flipped from written w;
    changed := changed || flipped;
  end loop;

  if changed <> '{}' and exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
    perform ec.broadcast_presence(array(select distinct unnest(changed)));
  end if;
end
$$;
comment on function ec.record_status is 'Birth and last will of devices';
grant execute on function ec.record_status to ec_bridge;

-- items: [{"s": serial, "d": document, "r": arrival in µs since the epoch, "door": mqtt|https}]. Merged into
-- what is reported; null removes a key. Several documents of one device are merged in their order.
create function ec.record_reported(items json) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  nums int[];
begin
  perform from public.device_state s
    where s.serial in (select p.s from json_to_recordset(items) as p (s text)) order by s.device_num for no key update;

  with arrived as (
    -- Of equal keys jsonb_object_agg keeps the last.
    select p.s, jsonb_object_agg(e.key, e.value order by p.o) as document, count(distinct p.o) as n,
      to_timestamp(max(p.r)::float8 / 1e6) as at, (array_agg(p.door order by p.o desc))[1] as door,
      jsonb_object_agg(e.key, ec.iso_time(to_timestamp(p.r::float8 / 1e6)) order by p.o) as times
    from rows from (json_to_recordset(items) as (s text, d jsonb, r bigint, door text)) with ordinality as p (s, d, r, door, o)
    cross join lateral jsonb_each(p.d) as e
    group by p.s
  ), written as (
    update public.device_state s set
      reported = (s.reported || a.document) - gone.keys,
      older = (s.older || a.times) - gone.keys,
      packet_keys = array(select k from unnest(s.packet_keys) k where not a.document ? k),
      reported_version = s.reported_version + a.n,
      last_seen = greatest(s.last_seen, a.at),
      last_door = coalesce(a.door, 'mqtt'),
      connected = s.connected or coalesce(a.door, 'mqtt') = 'mqtt' and a.at >= coalesce(s.connected_changed_at, a.at),
      connected_changed_at = case when not s.connected and coalesce(a.door, 'mqtt') = 'mqtt'
        and a.at >= coalesce(s.connected_changed_at, a.at) then a.at else s.connected_changed_at end
    from arrived a
    cross join lateral (
      select array(select e.key from jsonb_each(a.document) e where e.value = 'null') as keys
    ) gone
    where s.serial = a.s
    returning s.device_num
  )
  select array_agg(w.device_num) into nums from written w;

  if nums is not null and exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
    perform ec.broadcast_devices(nums);
  end if;
end
$$;
comment on function ec.record_reported is 'Merges documents of shadow/reported into the reported shadow';
grant execute on function ec.record_reported to ec_bridge, ec_api;
