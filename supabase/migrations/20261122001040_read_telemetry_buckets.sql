-- Charts: at most 600 points a series, computed under the caller's row level security. Never raw rows.

create function ec.rolled_until() returns timestamptz
language sql stable security definer set search_path = ''
as $$ select p.rolled_until from ec.rollup_progress p $$;
grant execute on function ec.rolled_until to authenticated;

-- Minutes of a device that are stored and not rolled up yet: seconds old, unless a back-log waits.
create function ec.unrolled_minutes(device_num int) returns timestamptz[]
language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(distinct to_timestamp(x.minute * 60::float8)), '{}')
  from ec.ingest_log l cross join lateral unnest(l.device_nums, l.minutes) as x (device_num, minute)
  where unrolled_minutes.device_num = any (l.device_nums) and x.device_num = unrolled_minutes.device_num
$$;
grant execute on function ec.unrolled_minutes to authenticated;

-- The finest bucket that keeps a span within 600 points, from the level that still holds the data.
create function ec.chart_plan(
  starts timestamptz, ends timestamptz, now timestamptz, out source text, out bucket_s int
)
language sql immutable set search_path = ''
as $$
  select s.source, b.width
  from (
    select extract(epoch from ends - starts) as span, case
      when ends - starts <= interval '2 hours' and starts >= now - interval '7 days 12 hours' then 'raw'
      when ends - starts <= interval '7 hours' and starts >= now - interval '29 days' then '1m'
      when ends - starts <= interval '50 hours' and starts >= now - interval '29 days' then '5m'
      else '15m' end as source
  ) s
  cross join unnest(array[1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 604800]) as b (width)
  where b.width * 600 >= s.span and b.width >= case s.source when 'raw' then 1 when '1m' then 60 when '5m' then 300 else 900 end
  order by b.width
  limit 1
$$;

-- {bucket_s, from, to, series: {key: [[t ms, min, avg, max] | null, …]}}; t is the start of the bucket.
-- Empty buckets are left out; a null stands where the line breaks: where more is missing than the device's own
-- rhythm explains (three of its intervals, at least two buckets). What is not rolled up yet, new or late, is read
-- from raw rows; the last two minutes before the newest roll-up too, because a transaction may have committed
-- behind it.
-- hours counts back from now; starts and ends win over it. Error: EC404 when the device is not the caller's to see.
create function ec.telemetry_buckets(
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
  series json;
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

  with parts as (
    select e.key, t.ts as at, 1 as n, f.v as lo, f.v as hi, f.v as total
    from public.telemetry t
    cross join lateral jsonb_each(t.data) e
    cross join lateral (select case when jsonb_typeof(e.value) = 'number' then e.value::float8 end as v) f
    where t.device_num = device.num and t.ts >= raw_from and t.ts <= until_at and f.v is not null
    union all
    select e.key, t.ts, 1, f.v, f.v, f.v
    from unnest(unrolled) as u (bucket)
    -- `offset 0` keeps the few buckets on the outside: the other way round it would read all raw rows.
    cross join lateral (
      select r.ts, r.data from public.telemetry r
      where r.device_num = device.num and r.ts >= greatest(u.bucket, from_at) and r.ts < least(u.bucket + level_width, raw_from)
      offset 0
    ) t
    cross join lateral jsonb_each(t.data) e
    cross join lateral (select case when jsonb_typeof(e.value) = 'number' then e.value::float8 end as v) f
    where f.v is not null
    union all
    select e.key, m.bucket, e.n, e.lo, e.hi, e.total
    from public.rollups_1m m
    cross join lateral unnest(m.keys, m.counts, m.mins, m.maxs, m.sums) as e (key, n, lo, hi, total)
    where m.device_num = device.num and m.bucket < raw_from and plan.source <> 'raw'
      and m.bucket >= case plan.source when '1m' then from_at else minutes_from end
      and not date_bin(level_width, m.bucket, 'epoch') = any (unrolled)
    union all
    select e.key, v.bucket, e.n, e.lo, e.hi, e.total
    from public.rollups_5m v
    cross join lateral unnest(v.keys, v.counts, v.mins, v.maxs, v.sums) as e (key, n, lo, hi, total)
    where v.device_num = device.num and v.bucket >= from_at and v.bucket < minutes_from and plan.source = '5m'
      and not v.bucket = any (unrolled)
    union all
    select e.key, q.bucket, e.n, e.lo, e.hi, e.total
    from public.rollups_15m q
    cross join lateral unnest(q.keys, q.counts, q.mins, q.maxs, q.sums) as e (key, n, lo, hi, total)
    where q.device_num = device.num and q.bucket >= from_at and q.bucket < minutes_from and plan.source = '15m'
      and not q.bucket = any (unrolled)
  ), points as (
    select p.key, (floor(extract(epoch from p.at)::float8 / plan.bucket_s) * plan.bucket_s)::bigint as t,
      min(p.lo) as lo, max(p.hi) as hi, sum(p.total) / sum(p.n) as mean
    from parts p
    where telemetry_buckets.metrics is null or p.key = any (telemetry_buckets.metrics)
    group by 1, 2
  ), steps as (
    select p.*, p.t - lag(p.t) over (partition by p.key order by p.t) as step from points p
  ), rhythm as (
    -- A device that sends less often than its type says has a rhythm of its own, once there is enough of it.
    select s.key, greatest(gap_s, case when count(s.step) >= 8 then 3 * percentile_disc(0.5) within group (order by s.step) end) as gap_s
    from steps s group by s.key
  )
  select json_object_agg(l.key, l.line order by l.key)
  into series
  from (
    select s.key, ('[' || string_agg(
      concat(case when s.step > r.gap_s then 'null,[' else '[' end, s.t, '000,', s.lo, ',', s.mean, ',', s.hi, ']'), ',' order by s.t) || ']')::json as line
    from steps s join rhythm r on r.key = s.key
    group by s.key
  ) l;
  return json_build_object('bucket_s', plan.bucket_s, 'from', ec.iso_time(from_at), 'to', ec.iso_time(until_at),
    'series', coalesce(series, '{}'));
end
$$;
comment on function ec.telemetry_buckets is 'Chart series of a device, at most 600 points each';
grant execute on function ec.telemetry_buckets to authenticated;
grant execute on function ec.iso_time, ec.chart_plan to authenticated;
