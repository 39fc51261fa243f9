-- The second path of ingest: many packets of a device in one batch (store-and-forward, HTTPS batches), with
-- window functions instead of one pass per packet. It must leave the tables exactly as ec.ingest_distinct
-- does when it gets the same packets one by one; supabase/tests/ingest holds the property test.
--
-- Precondition: the caller holds the locks of all the device rows, and no item is marked as re-delivered.
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
      s.device_num, s.reported_at, p.ts >= s.tenure_started_at as in_tenure,
      coalesce(e.org_num, s.org_num) as org_num, coalesce(e.tenure_id, s.tenure_id) as tenure_id,
      row_number() over (partition by s.device_num, p.ts order by p.i) as nth
    from (
      select j.i, j.s, j.d, j.q, j.t, to_timestamp(j.r::float8 / 1e6) as received_at,
        to_timestamp(coalesce(j.t::float8 / 1e3, j.r::float8 / 1e6)) as ts
      from jsonb_to_recordset(items) as j (i int, s text, d jsonb, r bigint, t bigint, q bigint)
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
  ), moves as materialized (
    select a.device_num, max(a.ts) as reported_at, count(*) as n,
      (array_agg(a.d order by a.i desc))[1] as last_packet,
      (array_agg(a.q order by a.i desc) filter (where a.q is not null))[1] as last_seq
    from accepted_items a
    where a.newest
    group by a.device_num
  ), merges as materialized (
    -- Of equal keys jsonb_object_agg keeps the last.
    select a.device_num, jsonb_object_agg(e.key, e.value order by a.i) as document,
      jsonb_object_agg(e.key, ec.iso_time(a.ts) order by a.i) as times
    from accepted_items a cross join lateral jsonb_each(a.d) as e
    where a.newest
    group by a.device_num
  ), readings as materialized (
    -- Every window with the new readings behind it. Stored ones count up to −1, items from 0.
    select s.device_num, s.product_type, c.metric, r.n - 30 as place, r.v, null::timestamptz as ts, null::int as org_num, null::int as tenure_id
    from moves m
    join public.device_state s on s.device_num = m.device_num
    cross join lateral (values ('temp', s.w_temp), ('hum', s.w_hum), ('co2', s.w_co2), ('bat', s.w_bat)) as c (metric, readings)
    cross join lateral unnest(c.readings) with ordinality as r (v, n)
    union all
    select a.device_num, s.product_type, c.metric, a.i, (a.d -> c.metric)::float8, a.ts, a.org_num, a.tenure_id
    from accepted_items a
    join public.device_state s on s.device_num = a.device_num
    cross join (values ('temp'), ('hum'), ('co2'), ('bat')) as c (metric)
    where a.newest and jsonb_typeof(a.d -> c.metric) = 'number'
  ), compared as materialized (
    select r.*, count(*) over preceding as before, sum(r.v) over preceding / 29 as mean,
      row_number() over (partition by r.device_num, r.metric order by r.place desc) as from_end
    from readings r
    window preceding as (partition by r.device_num, r.metric order by r.place rows between 29 preceding and 1 preceding)
  ), windows as materialized (
    select w.device_num,
      coalesce(array_agg(w.v order by w.place) filter (where w.metric = 'temp'), '{}') as w_temp,
      coalesce(array_agg(w.v order by w.place) filter (where w.metric = 'hum'), '{}') as w_hum,
      coalesce(array_agg(w.v order by w.place) filter (where w.metric = 'co2'), '{}') as w_co2,
      coalesce(array_agg(w.v order by w.place) filter (where w.metric = 'bat'), '{}') as w_bat
    from compared w
    where w.from_end <= 29
    group by w.device_num
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
      reported = case when m.device_num is null then s.reported else s.reported || j.document end,
      reported_at = greatest(s.reported_at, m.reported_at),
      reported_version = s.reported_version + coalesce(m.n, 0),
      older = case when m.device_num is null then s.older
        else ec.older_times(s.reported || j.document, s.reported_at, s.older || j.times, m.last_packet) end,
      packet_keys = case when m.device_num is null then s.packet_keys
        else array(select jsonb_object_keys(m.last_packet)) end,
      last_seq = coalesce(m.last_seq, s.last_seq),
      w_temp = coalesce(w.w_temp, s.w_temp), s_temp = ec.sum_of(coalesce(w.w_temp, s.w_temp)),
      w_hum = coalesce(w.w_hum, s.w_hum), s_hum = ec.sum_of(coalesce(w.w_hum, s.w_hum)),
      w_co2 = coalesce(w.w_co2, s.w_co2), s_co2 = ec.sum_of(coalesce(w.w_co2, s.w_co2)),
      w_bat = coalesce(w.w_bat, s.w_bat), s_bat = ec.sum_of(coalesce(w.w_bat, s.w_bat))
    from arrivals a
    left join moves m on m.device_num = a.device_num
    left join merges j on j.device_num = a.device_num
    left join windows w on w.device_num = a.device_num
    where s.device_num = a.device_num
  ), deviated as (
    insert into public.deviations (device_num, org_num, tenure_id, metric, ts, value, mean, pct)
    select c.device_num, c.org_num, c.tenure_id, c.metric, c.ts, c.v, c.mean, p.pct
    from compared c
    join public.metric_definitions d on d.product_type = c.product_type and d.key = c.metric and d.watched
    cross join lateral (select 100 * (c.v - c.mean) / nullif(greatest(abs(c.mean), d.min_denominator), 0)) as p (pct)
    where c.place >= 0 and c.before = 29 and abs(c.v - c.mean) >= d.min_deviation and abs(p.pct) >= 20
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
