-- The second path of ingest, and the function above both, learn the same.

drop function ec.ingest_runs(jsonb, text);
create function ec.ingest_runs(
  items jsonb, door text,
  out accepted int, out conflicts int[], out collided int[],
  out device_nums int[], out minutes int[], out first_time int[], out versions int[], out boots jsonb
)
language plpgsql set search_path = ''
as $$
begin
  with parsed as materialized (
    select p.i, p.d, p.q, p.t is null as timeless, p.received_at, p.ts,
      case when jsonb_typeof(p.d -> 'temp') = 'number' then (p.d -> 'temp')::float8 end as temp,
      case when jsonb_typeof(p.d -> 'hum') = 'number' then (p.d -> 'hum')::float8 end as hum,
      case when jsonb_typeof(p.d -> 'co2') = 'number' then (p.d -> 'co2')::float8 end as co2,
      case when jsonb_typeof(p.d -> 'bat') = 'number' then (p.d -> 'bat')::float8 end as bat,
      s.device_num, s.reported_at, p.ts >= s.tenure_started_at as in_tenure,
      p.d ?& s.packet_keys and p.d - s.packet_keys = '{}' as same_keys,
      coalesce(e.org_num, s.org_num) as org_num, coalesce(e.tenure_id, s.tenure_id) as tenure_id,
      row_number() over (partition by s.device_num, p.ts order by p.i) as nth
    from (
      select r.i, r.s, r.d, r.q, r.t, to_timestamp(r.r::float8 / 1e6) as received_at,
        to_timestamp(coalesce(r.t::float8 / 1e3, r.r::float8 / 1e6)) as ts
      from jsonb_to_recordset(items) as r (i int, s text, d jsonb, r bigint, t bigint, q bigint)
    ) p
    join public.device_state s on s.serial = p.s
    left join lateral (
      -- A reading from before the tenure belongs to whoever held the device then.
      select t.id as tenure_id, o.num as org_num
      from public.device_tenures t join public.orgs o on o.id = t.org_id
      where p.ts < s.tenure_started_at and t.device_id = s.device_id
      order by t.started_at <= p.ts desc, case when t.started_at <= p.ts then t.started_at end desc, t.started_at
      limit 1
    ) e on true
  ), stored as (
    insert into public.telemetry (device_num, ts, received_at, org_num, tenure_id, seq, data)
    select p.device_num, p.ts, p.received_at, p.org_num, p.tenure_id, p.q, p.d from parsed p where p.nth = 1
    on conflict do nothing
    returning device_num, ts
  ), accepted_items as materialized (
    select p.*, p.in_tenure
      and coalesce(p.ts > greatest(p.reported_at, max(p.ts) filter (where p.in_tenure) over before), true) as newest
    from parsed p
    where p.nth = 1 and ((p.device_num, p.ts) in (select stored.device_num, stored.ts from stored)) is true
    window before as (partition by p.device_num order by p.i rows between unbounded preceding and 1 preceding)
  ), named as materialized (
    select distinct on (n.device_num) n.device_num, n.ts, private.named_version(n.d) as version
    from accepted_items n
    where n.d ?| '{fw_version,fw}' and n.in_tenure and private.named_version(n.d) is not null
    order by n.device_num, n.ts desc
  ), booted as (
    select a.device_num, a.i, a.ts, a.d, f.before -> 'uptime' as former_uptime
    from (
      select n.device_num, n.i, n.ts, n.d, lag(n.d) over packets as before, lag(n.ts) over packets as before_at
      from accepted_items n where n.newest and n.d ? 'uptime'
      window packets as (partition by n.device_num order by n.i)
    ) a
    left join public.device_state s on a.before is null and s.device_num = a.device_num
    cross join lateral (select coalesce(a.before, s.reported) as before, coalesce(a.before_at, s.reported_at) as before_at) f
    where a.d -> 'uptime' < f.before -> 'uptime' and jsonb_typeof(a.d -> 'uptime') = 'number' and jsonb_typeof(f.before -> 'uptime') = 'number'
      or ec.has_restarted(a.d, a.ts, f.before, f.before_at)
  ), moving as materialized (
    -- How many readings of each metric its device has in this batch, up to and with this packet.
    select a.device_num, a.i, a.ts, a.org_num, a.tenure_id, a.temp, a.hum, a.co2, a.bat,
      count(a.temp) over upto as n_temp, count(a.hum) over upto as n_hum, count(a.co2) over upto as n_co2, count(a.bat) over upto as n_bat
    from accepted_items a
    where a.newest
    window upto as (partition by a.device_num order by a.i)
  ), moves as materialized (
    select a.device_num, max(a.ts) as reported_at, count(*) as n, bool_and(a.same_keys) as same_keys,
      (array_agg(a.d order by a.i desc))[1] as last_packet,
      (array_agg(a.q order by a.i desc) filter (where a.q is not null))[1] as last_seq,
      array_agg(a.temp order by a.i) filter (where a.temp is not null) as temp,
      array_agg(a.hum order by a.i) filter (where a.hum is not null) as hum,
      array_agg(a.co2 order by a.i) filter (where a.co2 is not null) as co2,
      array_agg(a.bat order by a.i) filter (where a.bat is not null) as bat
    from accepted_items a
    where a.newest
    group by a.device_num
  ), series as materialized (
    -- The stored window with the new readings behind it.
    select m.device_num, s.product_type,
      s.w_temp || m.temp as temp, cardinality(s.w_temp) as c_temp,
      s.w_hum || m.hum as hum, cardinality(s.w_hum) as c_hum,
      s.w_co2 || m.co2 as co2, cardinality(s.w_co2) as c_co2,
      s.w_bat || m.bat as bat, cardinality(s.w_bat) as c_bat
    from moves m join public.device_state s on s.device_num = m.device_num
  ), merges as materialized (
    -- Key by key only where the shape of packets changed. Of equal keys jsonb_object_agg keeps the last.
    select a.device_num, jsonb_object_agg(e.key, e.value order by a.i) as document,
      jsonb_object_agg(e.key, ec.iso_time(a.ts) order by a.i) as times
    from accepted_items a cross join lateral jsonb_each(a.d) as e
    where a.newest and (a.device_num in (select m.device_num from moves m where not m.same_keys)) is true
    group by a.device_num
  ), arrivals as materialized (
    select a.device_num, max(a.received_at) as last_seen,
      (array_agg(a.received_at order by a.i) filter (where a.received_at >= coalesce(s.connected_changed_at, a.received_at)))[1] as connects_at
    from accepted_items a
    join public.device_state s on s.device_num = a.device_num
    group by a.device_num
  ), written as (
    update public.device_state s set
      last_seen = greatest(s.last_seen, a.last_seen),
      last_telemetry_at = greatest(s.last_telemetry_at, a.last_seen),
      last_door = door,
      active = true,
      connected = s.connected or door = 'mqtt' and a.connects_at is not null,
      connected_changed_at = case when not s.connected and door = 'mqtt' then coalesce(a.connects_at, s.connected_changed_at)
        else s.connected_changed_at end,
      reported = case when m.device_num is null then s.reported else s.reported || coalesce(g.document, m.last_packet) end,
      reported_at = greatest(s.reported_at, m.reported_at),
      reported_version = s.reported_version + coalesce(m.n, 0),
      older = case when g.device_num is null then s.older
        else ec.older_times(s.reported || g.document, s.reported_at, s.older || g.times, m.last_packet) end,
      packet_keys = case when g.device_num is null then s.packet_keys else array(select jsonb_object_keys(m.last_packet)) end,
      last_seq = coalesce(m.last_seq, s.last_seq),
      named_version = case when v.ts > coalesce(s.named_version_at, '-infinity') then v.version else s.named_version end,
      named_version_at = greatest(s.named_version_at, v.ts),
      w_temp = coalesce(x.temp[greatest(cardinality(x.temp) - 28, 1):], s.w_temp), s_temp = ec.sum_of(coalesce(x.temp[greatest(cardinality(x.temp) - 28, 1):], s.w_temp)),
      w_hum = coalesce(x.hum[greatest(cardinality(x.hum) - 28, 1):], s.w_hum), s_hum = ec.sum_of(coalesce(x.hum[greatest(cardinality(x.hum) - 28, 1):], s.w_hum)),
      w_co2 = coalesce(x.co2[greatest(cardinality(x.co2) - 28, 1):], s.w_co2), s_co2 = ec.sum_of(coalesce(x.co2[greatest(cardinality(x.co2) - 28, 1):], s.w_co2)),
      w_bat = coalesce(x.bat[greatest(cardinality(x.bat) - 28, 1):], s.w_bat), s_bat = ec.sum_of(coalesce(x.bat[greatest(cardinality(x.bat) - 28, 1):], s.w_bat))
    from arrivals a
    left join moves m on m.device_num = a.device_num
    left join series x on x.device_num = a.device_num
    left join merges g on g.device_num = a.device_num
    left join named v on v.device_num = a.device_num
    where s.device_num = a.device_num
  ), deviated as (
    insert into public.deviations (device_num, org_num, tenure_id, metric, ts, value, mean, pct)
    select x.device_num, x.org_num, x.tenure_id, c.metric, x.ts, c.reading, c.mean, p.pct
    from (
      -- Fenced: row counts here are guesses, and sums taken before this join are taken for every pair.
      select i.device_num, i.org_num, i.tenure_id, i.ts, i.temp as new_temp, i.hum as new_hum, i.co2 as new_co2, i.bat as new_bat,
        i.n_temp, i.n_hum, i.n_co2, i.n_bat, w.product_type, w.temp, w.hum, w.co2, w.bat, w.c_temp, w.c_hum, w.c_co2, w.c_bat
      from moving i join series w on w.device_num = i.device_num
      offset 0
    ) x
    cross join lateral (
      select 'temp', x.new_temp, (select sum(r.v) / 29 from unnest(x.temp[x.c_temp + x.n_temp - 29:x.c_temp + x.n_temp - 1]) as r (v))
      where x.new_temp is not null and x.c_temp + x.n_temp > 29
      union all select 'hum', x.new_hum, (select sum(r.v) / 29 from unnest(x.hum[x.c_hum + x.n_hum - 29:x.c_hum + x.n_hum - 1]) as r (v))
      where x.new_hum is not null and x.c_hum + x.n_hum > 29
      union all select 'co2', x.new_co2, (select sum(r.v) / 29 from unnest(x.co2[x.c_co2 + x.n_co2 - 29:x.c_co2 + x.n_co2 - 1]) as r (v))
      where x.new_co2 is not null and x.c_co2 + x.n_co2 > 29
      union all select 'bat', x.new_bat, (select sum(r.v) / 29 from unnest(x.bat[x.c_bat + x.n_bat - 29:x.c_bat + x.n_bat - 1]) as r (v))
      where x.new_bat is not null and x.c_bat + x.n_bat > 29
    ) as c (metric, reading, mean)
    join public.metric_definitions d on d.product_type = x.product_type and d.key = c.metric and d.watched
    cross join lateral (select 100 * (c.reading - c.mean) / nullif(greatest(abs(c.mean), d.min_denominator), 0)) as p (pct)
    where abs(c.reading - c.mean) >= d.min_deviation and abs(p.pct) >= 20
  )
  select t.n, t.nums, t.mins, f.nums,
    (select array_agg(v.device_num) from named v),
    (select jsonb_agg(ec.boot_of(b.device_num, b.ts, b.d, b.former_uptime) order by b.i) from booted b),
    array(select p.i from parsed p
      where (p.nth = 1 or not p.timeless) and (p.i in (select a.i from accepted_items a)) is not true),
    array(select p.i from parsed p where p.nth > 1 and p.timeless)
  into accepted, device_nums, minutes, first_time, versions, boots, conflicts, collided
  from (
    select sum(g.n)::int, array_agg(g.device_num), array_agg(g.minute)
    from (
      select a.device_num, floor(extract(epoch from a.ts)::float8 / 60)::int as minute, count(*) as n
      from accepted_items a group by 1, 2
    ) g
  ) as t (n, nums, mins), (
    select array_agg(s.device_num) from arrivals a join public.device_state s on s.device_num = a.device_num where not s.active
  ) as f (nums);
  accepted := coalesce(accepted, 0);
end
$$;
comment on function ec.ingest_runs is 'Stores several packets per device of a batch; internal to ec.ingest_telemetry';

create or replace function ec.ingest_packets(items jsonb, door text, careful bool) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  todo jsonb;
  turn jsonb;
  turn_items int[];
  collided int[];
  fast record;
  slow record;
  accepted int := 0;
  duplicates int[] := '{}';
  unknown int[];
  nums int[];
  mins int[];
  firsts int[];
  waiting int[];
  versions int[];
  boots jsonb;
begin
  select * into fast from ec.ingest_distinct(items, door, careful);
  accepted := fast.accepted; nums := fast.device_nums; mins := fast.minutes; firsts := fast.first_time;
  -- The first call has met every device of the batch.
  waiting := fast.waiting; versions := fast.versions; boots := fast.boots;
  unknown := coalesce(fast.unknown, '{}');
  if fast.rest is not null then
    todo := ec.spread_arrivals(items, fast.rest);
  end if;
  turn := items;

  loop
    if cardinality(fast.conflicts) > 0 then
      collided := ec.find_collided(turn, fast.conflicts);
      duplicates := duplicates || array(select unnest(fast.conflicts) except select unnest(collided));
      todo := coalesce(todo, '[]') || coalesce(ec.pick_items(turn, collided, 1), '[]');
    end if;
    exit when todo is null or jsonb_array_length(todo) = 0;

    -- Devices with a re-delivered packet go one packet at a time: what it is compared with includes the
    -- packets before it in the batch.
    select array_agg(p.i) filter (where p.nth = 1) into turn_items
    from (
      select j.i, bool_or(coalesce(j.dup, false)) over device as marked,
        row_number() over (partition by j.s order by j.i) as nth
      from jsonb_to_recordset(todo) as j (i int, s text, dup bool)
      window device as (partition by j.s)
    ) p
    where p.marked;

    if turn_items is not null then
      turn := ec.pick_items(todo, turn_items);
      todo := ec.pick_items(todo, array(select (e ->> 'i')::int from jsonb_array_elements(todo) e except select unnest(turn_items)));
      collided := ec.find_redelivered((select jsonb_agg(e) from jsonb_array_elements(turn) e where e -> 'dup' = 'true' and e ->> 't' is null));
      duplicates := duplicates || collided;
      turn := coalesce(ec.pick_items(turn, array(select unnest(turn_items) except select unnest(collided)), 0, true), '[]');
      select * into fast from ec.ingest_distinct(turn, door, true);
      accepted := accepted + fast.accepted; nums := nums || fast.device_nums; mins := mins || fast.minutes; firsts := firsts || fast.first_time;
      versions := versions || fast.versions; boots := coalesce(boots || fast.boots, boots, fast.boots);
    else
      turn := todo;
      select * into slow from ec.ingest_runs(turn, door);
      accepted := accepted + slow.accepted; nums := nums || slow.device_nums; mins := mins || slow.minutes; firsts := firsts || slow.first_time;
      versions := versions || slow.versions; boots := coalesce(boots || slow.boots, boots, slow.boots);
      todo := ec.pick_items(turn, slow.collided, 1);
      fast.conflicts := slow.conflicts;
    end if;
  end loop;

  if nums is not null then
    insert into ec.ingest_log (device_nums, minutes) values (nums, mins);
    if firsts is not null then perform ec.mark_first_packet(firsts); end if;
    if exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
      perform ec.broadcast_devices(nums);
    end if;
  end if;
  if unknown <> '{}' then
    perform ec.reject_unknown(ec.pick_items(items, unknown), door);
  end if;

  if boots is not null then perform private.note_boots(boots); end if;
  -- Who is awaited may have to say which version it runs more than once.
  versions := versions || waiting;
  if versions is not null then perform private.note_versions(versions, false); end if;
  if waiting is not null and door = 'mqtt' then perform ec.deliver_commands(waiting); end if;

  return jsonb_build_object(
    'accepted', accepted, 'duplicate', cardinality(duplicates), 'rejected', cardinality(unknown),
    'duplicates', to_jsonb(array(select unnest(duplicates) order by 1)),
    'rejects', (select coalesce(jsonb_agg(jsonb_build_object('i', i, 'reason', 'unknown_device') order by i), '[]') from unnest(unknown) i))
    || case when waiting is null or door = 'mqtt' then '{}' else jsonb_build_object('waiting', to_jsonb(waiting)) end;
end
$$;
