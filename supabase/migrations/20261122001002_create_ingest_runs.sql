-- The second path of ingest: many packets of a device in one batch (store-and-forward, HTTPS batches), with
-- window functions instead of one pass per packet. It must leave the tables exactly as ec.ingest_distinct
-- does when it gets the same packets one by one; supabase/tests/ingest holds the property test.
--
-- Precondition: the caller holds the locks of all the device rows, and no item is marked as re-delivered.
-- Results as there; collided = items without a time whose arrival another item of the batch has.
create function ec.ingest_runs(
  items jsonb, door text,
  out accepted int, out conflicts int[], out collided int[],
  out device_nums int[], out minutes int[], out first_time int[]
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
      w_temp = coalesce(x.temp[greatest(cardinality(x.temp) - 28, 1):], s.w_temp), s_temp = ec.sum_of(coalesce(x.temp[greatest(cardinality(x.temp) - 28, 1):], s.w_temp)),
      w_hum = coalesce(x.hum[greatest(cardinality(x.hum) - 28, 1):], s.w_hum), s_hum = ec.sum_of(coalesce(x.hum[greatest(cardinality(x.hum) - 28, 1):], s.w_hum)),
      w_co2 = coalesce(x.co2[greatest(cardinality(x.co2) - 28, 1):], s.w_co2), s_co2 = ec.sum_of(coalesce(x.co2[greatest(cardinality(x.co2) - 28, 1):], s.w_co2)),
      w_bat = coalesce(x.bat[greatest(cardinality(x.bat) - 28, 1):], s.w_bat), s_bat = ec.sum_of(coalesce(x.bat[greatest(cardinality(x.bat) - 28, 1):], s.w_bat))
    from arrivals a
    left join moves m on m.device_num = a.device_num
    left join series x on x.device_num = a.device_num
    left join merges g on g.device_num = a.device_num
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
    array(select p.i from parsed p
      where (p.nth = 1 or not p.timeless) and (p.i in (select a.i from accepted_items a)) is not true),
    array(select p.i from parsed p where p.nth > 1 and p.timeless)
  into accepted, device_nums, minutes, first_time, conflicts, collided
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
