-- Live screens (architecture, decision 10): only topics somebody looks at are sent, at once on the leading
-- edge, then at most two messages a second and topic; ec.sweep_live sends the newest state after a burst.

-- What changed since a topic was last sent. Rows, not a mark on the lease: transactions that overlap never
-- wait for each other, and none is lost whichever commits last.
create unlogged table ec.live_pending (
  id bigint generated always as identity primary key,
  topic text not null,
  device_num int not null
);
create index live_pending_topic_idx on ec.live_pending (topic);
alter table ec.live_pending enable row level security;
comment on table ec.live_pending is 'Devices that changed since their leased topic was last sent';

create function ec.device_status(last_seen timestamptz, window_s int, at timestamptz) returns text
language sql immutable parallel safe set search_path = ''
as $$
  select case when last_seen is null then 'never_seen'
    when last_seen >= at - make_interval(secs => window_s) then 'online' else 'offline' end
$$;
comment on function ec.device_status is 'online | offline | never_seen';

-- Sends what is pending for leased topics that are due. Lease rows held by another transaction are skipped:
-- that one, or the next sweep, sends.
create function ec.send_due_topics(topics text[]) returns void
language plpgsql set search_path = ''
as $$
declare
  at timestamptz := clock_timestamp();
  lease record;
  nums int[];
  overflow int[];
  message jsonb;
begin
  for lease in
    select l.topic, l.kind, l.device_num from ec.live_leases l
    where l.topic = any (topics) and l.expires_at > at
      and (l.last_sent_at is null or l.last_sent_at <= at - interval '500 milliseconds')
      and exists (select from ec.live_pending p where p.topic = l.topic)
    order by l.topic
    for update skip locked
  loop
    with taken as (
      delete from ec.live_pending p where p.topic = lease.topic returning p.device_num
    )
    select array_agg(distinct t.device_num) into nums from taken t;
    continue when nums is null;

    -- One message stays small enough for every broker of broadcasts; the rest goes with the next one.
    overflow := nums[501:];
    if overflow <> '{}' then
      insert into ec.live_pending (topic, device_num) select lease.topic, n from unnest(overflow) n;
      nums := nums[:500];
    end if;

    if lease.kind = 'device' then
      select jsonb_build_object('serial', s.serial, 'ts', ec.iso_time(coalesce(s.reported_at, s.last_seen)),
        'data', s.reported - array(select jsonb_object_keys(s.older)), 'reported', s.reported, 'older', s.older,
        'reported_version', s.reported_version, 'last_seen', ec.iso_time(s.last_seen), 'connected', s.connected,
        'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), at))
      into message
      from public.device_state s
      join public.devices d on d.id = s.device_id
      join public.product_types t on t.key = s.product_type
      where s.device_num = lease.device_num;
      perform realtime.send(message, 'telemetry', lease.topic, true);
    else
      select jsonb_build_object('devices', jsonb_agg(jsonb_build_object('serial', s.serial,
        'ts', ec.iso_time(coalesce(s.reported_at, s.last_seen)), 'last_seen', ec.iso_time(s.last_seen), 'connected', s.connected,
        'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), at), 'values', s.reported)))
      into message
      from public.device_state s
      join public.devices d on d.id = s.device_id
      join public.product_types t on t.key = s.product_type
      where s.device_num = any (nums);
      perform realtime.send(message, 'fleet', lease.topic, true);
    end if;
    update ec.live_leases l set last_sent_at = at where l.topic = lease.topic;
  end loop;
end
$$;

-- Called by ingest when any lease is live.
create function ec.broadcast_devices(device_nums int[]) returns void
language plpgsql set search_path = ''
as $$
declare
  topics text[];
begin
  with changed as (
    insert into ec.live_pending (topic, device_num)
    select l.topic, s.device_num
    from public.device_state s
    join ec.live_leases l on l.expires_at > clock_timestamp()
      and (l.kind = 'org' and l.org_num = s.org_num or l.kind = 'device' and l.device_num = s.device_num)
    where s.device_num = any (device_nums)
    returning topic
  )
  select array_agg(distinct c.topic) into topics from changed c;
  if topics is not null then perform ec.send_due_topics(topics); end if;
end
$$;

-- Birth or last will: an event of its own on the device's topic and, unless it is a storm, on the org's.
-- Everything a storm changes reaches the org's topic with the next fleet message.
create function ec.broadcast_presence(device_nums int[]) returns void
language plpgsql set search_path = ''
as $$
begin
  perform realtime.send(
    jsonb_build_object('serial', s.serial, 'connected', s.connected,
      'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), clock_timestamp())),
    'presence', l.topic, true)
  from public.device_state s
  join public.devices d on d.id = s.device_id
  join public.product_types t on t.key = s.product_type
  join ec.live_leases l on l.expires_at > clock_timestamp()
    and (l.kind = 'device' and l.device_num = s.device_num
      or l.kind = 'org' and l.org_num = s.org_num and cardinality(device_nums) <= 2)
  where s.device_num = any (device_nums);
  perform ec.broadcast_devices(device_nums);
end
$$;

-- asked: `org:<uuid>` or `device:<serial>`. Returns a row for each that the actor may watch; the others are
-- left out, missing and foreign alike. A lease lasts 20 seconds; viewers renew every 10.
create function ec.lease_topics(topics text[]) returns table (asked text, topic text, expires_at timestamptz)
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  ends_at timestamptz := clock_timestamp() + interval '20 seconds';
begin
  return query
  with wanted as (
    select a.asked, 'org' as kind, 'org:' || o.id || ':' || o.live_epoch as topic, o.id as org_id, o.num as org_num, null::int as device_num
    from (select distinct w from unnest(topics) w) as a (asked)
    join public.orgs o on a.asked like 'org:%' and o.id::text = substr(a.asked, 5)
    union all
    select a.asked, 'device', 'device:' || d.id || ':' || o.live_epoch, o.id, o.num, d.num
    from (select distinct w from unnest(topics) w) as a (asked)
    join public.devices d on a.asked like 'device:%' and d.serial = substr(a.asked, 8)
    join public.orgs o on o.id = d.org_id
  ), leased as (
    insert into ec.live_leases as l (topic, kind, org_id, org_num, device_num, expires_at)
    select w.topic, w.kind, w.org_id, w.org_num, w.device_num, ends_at
    from wanted w where private.can_join_topic(w.topic)
    order by w.topic
    on conflict (topic) do update set expires_at = greatest(l.expires_at, excluded.expires_at)
    returning l.topic, l.expires_at
  )
  select w.asked, l.topic, l.expires_at from leased l join wanted w on w.topic = l.topic order by w.asked;
end
$$;
comment on function ec.lease_topics is 'Starts or renews the live broadcast of topics for 20 seconds';
grant execute on function ec.lease_topics to authenticated;

-- Every 500 ms while anybody looks: sends what changed since the leading edge, and forgets leases that ended.
-- Returns how many leases live, so that the caller may rest when there are none.
create function ec.sweep_live(now timestamptz) returns int
language plpgsql security definer set search_path = ''
as $$
declare
  topics text[];
begin
  if exists (select from ec.live_leases l where l.expires_at <= sweep_live.now) then
    with ended as (
      delete from ec.live_leases l
      where l.topic in (select e.topic from ec.live_leases e where e.expires_at <= sweep_live.now for update skip locked)
      returning l.topic
    )
    delete from ec.live_pending p using ended where p.topic = ended.topic;
  end if;
  select array_agg(distinct p.topic) into topics from ec.live_pending p;
  if topics is not null then perform ec.send_due_topics(topics); end if;
  return (select count(*) from ec.live_leases);
end
$$;
comment on function ec.sweep_live is 'Trailing edge of live broadcast; returns the number of leases';
grant execute on function ec.sweep_live to ec_bridge, ec_worker;
