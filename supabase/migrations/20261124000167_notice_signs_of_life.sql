-- Birth and reported documents are signs of life: what waits for the device goes out. Documents merge as desired ones
-- do, at any depth.

create or replace function ec.record_status(items json) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  rounds int;
  changed int[] := '{}';
  flipped int[];
  present int[];
  waiting int[] := '{}';
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
      returning s.device_num, j.flips, j.online and s.pending as waits
    )
    select coalesce(array_agg(w.device_num) filter (where w.flips), '{}'), array_agg(w.device_num) filter (where w.waits)
    into flipped, present from written w;
    changed := changed || flipped;
    waiting := waiting || present;
  end loop;

  if waiting <> '{}' then perform ec.deliver_commands(waiting); end if;
  if changed <> '{}' and exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
    perform ec.broadcast_presence(array(select distinct unnest(changed)));
  end if;
end
$$;

create or replace function ec.record_reported(items json) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  nums int[];
  waiting int[];
begin
  perform from public.device_state s
    where s.serial in (select p.s from json_to_recordset(items) as p (s text)) order by s.device_num for no key update;

  with arrived as (
    select p.s, array_agg(p.d order by p.o) as documents, array_agg(ec.iso_time(to_timestamp(p.r::float8 / 1e6)) order by p.o) as stamps,
      to_timestamp(max(p.r)::float8 / 1e6) as at, coalesce((array_agg(p.door order by p.o desc))[1], 'mqtt') as door
    from rows from (json_to_recordset(items) as (s text, d jsonb, r bigint, door text)) with ordinality as p (s, d, r, door, o)
    where p.d <> '{}'
    group by p.s
  ), merged as (
    select s.device_num, a.at, a.door, cardinality(a.documents) as n, m.reported, t.times,
      array(select k from jsonb_object_keys(t.times) k where not m.reported ? k) as gone
    from arrived a
    join public.device_state s on s.serial = a.s
    cross join lateral (select private.merge_shadows(s.reported, a.documents)) as m (reported)
    cross join lateral (
      -- Of equal keys jsonb_object_agg keeps the last.
      select jsonb_object_agg(k, x.stamp order by x.o)
      from unnest(a.documents, a.stamps) with ordinality as x (document, stamp, o) cross join jsonb_object_keys(x.document) k
    ) as t (times)
  ), written as (
    update public.device_state s set
      reported = m.reported,
      older = (s.older || m.times) - m.gone,
      packet_keys = array(select k from unnest(s.packet_keys) k where not m.times ? k),
      reported_version = s.reported_version + m.n,
      last_seen = greatest(s.last_seen, m.at),
      last_door = m.door,
      connected = s.connected or m.door = 'mqtt' and m.at >= coalesce(s.connected_changed_at, m.at),
      connected_changed_at = case when not s.connected and m.door = 'mqtt'
        and m.at >= coalesce(s.connected_changed_at, m.at) then m.at else s.connected_changed_at end
    from merged m
    where s.device_num = m.device_num
    returning s.device_num, m.door = 'mqtt' and s.pending as waits
  )
  select array_agg(w.device_num), array_agg(w.device_num) filter (where w.waits) into nums, waiting from written w;

  if waiting is not null then perform ec.deliver_commands(waiting); end if;
  if nums is not null and exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
    perform ec.broadcast_devices(nums);
  end if;
end
$$;
