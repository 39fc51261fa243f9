-- A version may also be named on shadow/reported, as devices do that send it once, after they started.

create or replace function ec.record_reported(items json) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  nums int[];
  waiting int[];
  versions int[];
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
      array(select k from jsonb_object_keys(t.times) k where not m.reported ? k) as gone,
      case when t.times ?| '{fw_version,fw}' then (
        select private.named_version(x.document) from unnest(a.documents) with ordinality as x (document, o)
        where private.named_version(x.document) is not null order by x.o desc limit 1) end as named
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
      named_version = coalesce(m.named, s.named_version),
      named_version_at = case when m.named is null then s.named_version_at else greatest(s.named_version_at, m.at) end,
      connected = s.connected or m.door = 'mqtt' and m.at >= coalesce(s.connected_changed_at, m.at),
      connected_changed_at = case when not s.connected and m.door = 'mqtt'
        and m.at >= coalesce(s.connected_changed_at, m.at) then m.at else s.connected_changed_at end
    from merged m
    where s.device_num = m.device_num
    returning s.device_num, m.door = 'mqtt' and s.pending as waits, m.named is not null as names_version
  )
  select array_agg(w.device_num), array_agg(w.device_num) filter (where w.waits),
    array_agg(w.device_num) filter (where w.names_version)
  into nums, waiting, versions from written w;

  if versions is not null then perform private.note_versions(versions, true); end if;
  if waiting is not null then perform ec.deliver_commands(waiting); end if;
  if nums is not null and exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
    perform ec.broadcast_devices(nums);
  end if;
end
$$;
