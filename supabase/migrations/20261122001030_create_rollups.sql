-- Roll-ups: minutes from raw rows, five minutes from minutes, quarters of an hour from those, hours and days
-- from quarters (a day starts at any multiple of 15 minutes of UTC in some time zone). Everything touched is computed again from
-- the level below, so late, duplicate and out-of-order data leave the same rows as data in order.
--
-- The work list is exact: ingest logs (device, minute) in the transaction that stores the rows, so whatever
-- a run consumes is visible to it, and what commits later is in the next run's list.

-- Buckets touched at a level and not yet computed: they wait until they are over. org_num matters for days
-- only, which start where the org's time zone says.
create table ec.rollup_pending (
  level text not null,
  device_num int not null,
  org_num int not null default 0,
  bucket timestamptz not null,
  ends_at timestamptz not null,
  primary key (level, device_num, org_num, bucket),
  constraint level_is_known check (level in ('5m', '15m', '1h', '1d'))
);
alter table ec.rollup_pending set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index rollup_pending_due_idx on ec.rollup_pending (level, ends_at);
alter table ec.rollup_pending enable row level security;
comment on table ec.rollup_pending is 'Roll-up buckets to compute once they are over';

create table ec.rollup_progress (
  only_row bool primary key default true,
  rolled_until timestamptz not null,
  constraint there_is_one_row check (only_row)
);
alter table ec.rollup_progress enable row level security;
insert into ec.rollup_progress (rolled_until) values ('epoch');
comment on table ec.rollup_progress is 'Charts read roll-ups before rolled_until and raw rows after it';

create function ec.day_start(at timestamptz, zone text) returns timestamptz
language sql stable set search_path = ''
as $$ select date_trunc('day', at at time zone zone) at time zone zone $$;

create function ec.next_day_start(day_start timestamptz, zone text) returns timestamptz
language sql stable set search_path = ''
as $$ select (date_trunc('day', day_start at time zone zone) + interval '1 day') at time zone zone $$;

create function ec.roll_minutes(device_nums int[], buckets timestamptz[]) returns void
language sql set search_path = ''
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off set work_mem = '32MB'
as $$
  insert into public.rollups_1m as r (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
  select g.device_num, g.bucket, g.tenure_id, g.org_num,
    array_agg(g.key order by g.key), array_agg(g.n order by g.key), array_agg(g.lo order by g.key),
    array_agg(g.hi order by g.key), array_agg(g.total order by g.key)
  from (
    select x.device_num, x.bucket, t.tenure_id, t.org_num, e.key, count(*)::int as n,
      min(e.value::float8) as lo, max(e.value::float8) as hi, sum(e.value::float8) as total
    from unnest(roll_minutes.device_nums, roll_minutes.buckets) as x (device_num, bucket)
    join public.telemetry t
      on t.device_num = x.device_num and t.ts >= x.bucket and t.ts < x.bucket + interval '1 minute'
    cross join lateral jsonb_each(t.data) e
    where jsonb_typeof(e.value) = 'number'
    group by x.device_num, x.bucket, t.tenure_id, t.org_num, e.key
  ) g
  group by g.device_num, g.bucket, g.tenure_id, g.org_num
  on conflict (device_num, bucket, tenure_id) do update set org_num = excluded.org_num,
    keys = excluded.keys, counts = excluded.counts, mins = excluded.mins, maxs = excluded.maxs, sums = excluded.sums
$$;

-- Buckets of one level from the rows of a finer one.
create function ec.roll_level(target text, source text, width interval, device_nums int[], buckets timestamptz[]) returns void
language plpgsql set search_path = ''
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off set work_mem = '32MB'
as $$
begin
  execute format($sql$
    insert into public.%I as r (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
    select g.device_num, g.bucket, g.tenure_id, g.org_num,
      array_agg(g.key order by g.key), array_agg(g.n order by g.key), array_agg(g.lo order by g.key),
      array_agg(g.hi order by g.key), array_agg(g.total order by g.key)
    from (
      select x.device_num, x.bucket, f.tenure_id, f.org_num, e.key,
        sum(e.n)::int as n, min(e.lo) as lo, max(e.hi) as hi, sum(e.total) as total
      from unnest($1, $2) as x (device_num, bucket)
      join public.%I f on f.device_num = x.device_num and f.bucket >= x.bucket and f.bucket < x.bucket + $3
      cross join lateral unnest(f.keys, f.counts, f.mins, f.maxs, f.sums) as e (key, n, lo, hi, total)
      group by x.device_num, x.bucket, f.tenure_id, f.org_num, e.key
    ) g
    group by g.device_num, g.bucket, g.tenure_id, g.org_num
    on conflict (device_num, bucket, tenure_id) do update set org_num = excluded.org_num,
      keys = excluded.keys, counts = excluded.counts, mins = excluded.mins, maxs = excluded.maxs, sums = excluded.sums
    $sql$, target, source)
  using device_nums, buckets, width;
end
$$;

-- A day has 23, 24 or 25 hours; its end is where the next one starts.
create function ec.roll_days(device_nums int[], org_nums int[], buckets timestamptz[], ends timestamptz[]) returns void
language sql set search_path = ''
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off set work_mem = '32MB'
as $$
  insert into public.rollups_1d as r (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
  select g.device_num, g.bucket, g.tenure_id, g.org_num,
    array_agg(g.key order by g.key), array_agg(g.n order by g.key), array_agg(g.lo order by g.key),
    array_agg(g.hi order by g.key), array_agg(g.total order by g.key)
  from (
    select x.device_num, x.bucket, q.tenure_id, q.org_num, e.key,
      sum(e.n)::int as n, min(e.lo) as lo, max(e.hi) as hi, sum(e.total) as total
    from unnest(roll_days.device_nums, roll_days.org_nums, roll_days.buckets, roll_days.ends) as x (device_num, org_num, bucket, ends_at)
    join public.rollups_15m q
      on q.device_num = x.device_num and q.bucket >= x.bucket and q.bucket < x.ends_at and q.org_num = x.org_num
    cross join lateral unnest(q.keys, q.counts, q.mins, q.maxs, q.sums) as e (key, n, lo, hi, total)
    group by x.device_num, x.bucket, q.tenure_id, q.org_num, e.key
  ) g
  group by g.device_num, g.bucket, g.tenure_id, g.org_num
  on conflict (device_num, bucket, tenure_id) do update set org_num = excluded.org_num,
    keys = excluded.keys, counts = excluded.counts, mins = excluded.mins, maxs = excluded.maxs, sums = excluded.sums
$$;
