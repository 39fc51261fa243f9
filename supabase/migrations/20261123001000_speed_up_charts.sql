-- Charts again, a quarter faster and a fifth smaller: roll-ups unnested as they are read, the rhythm of a series only
-- asked for where it has a wide step, means with four decimals, and the answer written once instead of three times.

-- {bucket_s, from, to, series: {key: [[t ms, min, avg, max] | null, …]}}; t is the start of the bucket.
-- Empty buckets are left out; a null stands where the line breaks: where more is missing than the device's own
-- rhythm explains (three of its intervals, at least two buckets). What is not rolled up yet, new or late, is read
-- from raw rows; the last two minutes before the newest roll-up too, because a transaction may have committed
-- behind it.
-- hours counts back from now; starts and ends win over it. Error: EC404 when the device is not the caller's to see.
create or replace function ec.telemetry_buckets(
  serial text, hours int default 24, metrics text[] default null,
  starts timestamptz default null, ends timestamptz default null
) returns json
language plpgsql stable set search_path = '' set timezone = 'UTC' set jit = off
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  device record;
  until_at timestamptz := least(coalesce(telemetry_buckets.ends, now()), now() + interval '5 minutes');
  from_at timestamptz := coalesce(telemetry_buckets.starts, until_at - make_interval(hours => telemetry_buckets.hours));
  plan record;
  width interval;
  rolled timestamptz := ec.rolled_until() - interval '2 minutes';
  level_width interval;
  minutes_from timestamptz;
  raw_from timestamptz;
  unrolled timestamptz[] := '{}';
  gap_s float8;
  series text;
begin
  select d.num, t.telemetry_interval_s into device
  from public.devices d left join public.product_types t on t.key = d.product_type
  where d.serial = telemetry_buckets.serial;
  if device.num is null then
    raise exception using errcode = 'EC404', message = 'not_found', detail = 'There is no such device, or you may not see it.';
  end if;
  if from_at >= until_at or until_at - from_at > interval '400 days' then
    raise exception using errcode = 'EC400', message = 'invalid_request', detail = 'The range must start before it ends and span at most 400 days.';
  end if;

  select * into plan from ec.chart_plan(from_at, until_at, now());
  width := make_interval(secs => plan.bucket_s);
  from_at := date_bin(width, from_at, 'epoch');
  raw_from := case when plan.source = 'raw' then from_at else least(greatest(from_at, rolled), until_at) end;
  level_width := case plan.source when '15m' then '15 minutes' when '5m' then '5 minutes' else '1 minute' end::interval;
  minutes_from := greatest(from_at, date_bin(level_width, raw_from, 'epoch'));
  if plan.source <> 'raw' then
    unrolled := array(select distinct date_bin(level_width, m, 'epoch') from unnest(ec.unrolled_minutes(device.num)) m where m < raw_from);
  end if;
  gap_s := greatest(2.5 * plan.bucket_s, 3 * coalesce(device.telemetry_interval_s, 5));

  -- Roll-ups are unnested in the select list: a function in FROM would cost a scan per row.
  with parts as (
    select e.key, e.at, 1 as n, e.v as lo, e.v as hi, e.v as total
    from (
      select t.ts as at, x.key, case when jsonb_typeof(x.value) = 'number' then x.value::float8 end as v
      from public.telemetry t cross join lateral jsonb_each(t.data) x
      where t.device_num = device.num and t.ts >= raw_from and t.ts <= until_at
      union all
      select t.ts, x.key, case when jsonb_typeof(x.value) = 'number' then x.value::float8 end
      from unnest(unrolled) as u (bucket)
      -- `offset 0` keeps the few buckets on the outside: the other way round it would read all raw rows.
      cross join lateral (
        select r.ts, r.data from public.telemetry r
        where r.device_num = device.num and r.ts >= greatest(u.bucket, from_at) and r.ts < least(u.bucket + level_width, raw_from)
        offset 0
      ) t
      cross join lateral jsonb_each(t.data) x
    ) e
    where e.v is not null
    union all
    select e.key, e.bucket, e.n, e.lo, e.hi, e.total from (
      select m.bucket, unnest(m.keys) as key, unnest(m.counts) as n, unnest(m.mins) as lo, unnest(m.maxs) as hi, unnest(m.sums) as total
      from public.rollups_1m m
      where m.device_num = device.num and m.bucket < raw_from and plan.source <> 'raw'
        and m.bucket >= case plan.source when '1m' then from_at else minutes_from end
        and not date_bin(level_width, m.bucket, 'epoch') = any (unrolled)
      union all
      select v.bucket, unnest(v.keys), unnest(v.counts), unnest(v.mins), unnest(v.maxs), unnest(v.sums)
      from public.rollups_5m v
      where v.device_num = device.num and v.bucket >= from_at and v.bucket < minutes_from and plan.source = '5m'
        and not v.bucket = any (unrolled)
      union all
      select q.bucket, unnest(q.keys), unnest(q.counts), unnest(q.mins), unnest(q.maxs), unnest(q.sums)
      from public.rollups_15m q
      where q.device_num = device.num and q.bucket >= from_at and q.bucket < minutes_from and plan.source = '15m'
        and not q.bucket = any (unrolled)
    ) e
  ), points as (
    select p.key, (floor(extract(epoch from p.at)::float8 / plan.bucket_s) * plan.bucket_s)::bigint as t,
      min(p.lo) as lo, max(p.hi) as hi, sum(p.total) / sum(p.n) as mean
    from parts p
    where telemetry_buckets.metrics is null or p.key = any (telemetry_buckets.metrics)
    group by 1, 2
  ), steps as materialized (
    select p.*, p.t - lag(p.t) over (partition by p.key order by p.t) as step from points p
  ), rhythms as materialized (
    -- A device that sends less often than its type says has a rhythm of its own, once there is enough of it.
    select jsonb_object_agg(r.key, r.gap_s) as by_key
    from (
      select s.key, 3 * percentile_disc(0.5) within group (order by s.step) as gap_s
      from steps s where s.step is not null group by s.key having count(*) >= 8
    ) r
  )
  select '{' || string_agg(to_json(l.key)::text || ':[' || l.line || ']', ',' order by l.key) || '}'
  into series
  from (
    select s.key, string_agg(
      concat(
        -- Asked at the first wide step only: most series have none.
        case when s.step > gap_s and s.step > coalesce(((select r.by_key from rhythms r) ->> s.key)::float8, 0) then 'null,[' else '[' end,
        s.t, '000,', s.lo, ',', case when abs(s.mean) between 0.01 and 1e11 then round(s.mean * 10000) / 10000 else s.mean end, ',', s.hi, ']'
      ), ',' order by s.t) as line
    from steps s
    group by s.key
  ) l;
  return concat('{"bucket_s":', plan.bucket_s, ',"from":"', ec.iso_time(from_at), '","to":"', ec.iso_time(until_at),
    '","series":', coalesce(series, '{}'), '}')::json;
end
$$;
