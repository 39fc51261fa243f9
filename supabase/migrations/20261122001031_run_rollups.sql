-- What the cron job and the bulk back-fill do with the functions of the migration before.

-- Puts the buckets of a level that hold the given times on the list.
create function ec.await_rollups(level text, device_nums int[], times timestamptz[]) returns void
language sql set search_path = ''
as $$
  insert into ec.rollup_pending (level, device_num, bucket, ends_at)
  select distinct await_rollups.level, x.device_num, b.bucket, b.bucket + w.width
  from unnest(await_rollups.device_nums, await_rollups.times) as x (device_num, at)
  cross join (values ('5m', interval '5 minutes'), ('15m', interval '15 minutes'), ('1h', interval '1 hour')) as w (level, width)
  cross join lateral date_bin(w.width, x.at, 'epoch') as b (bucket)
  where w.level = await_rollups.level
  on conflict do nothing
$$;

-- Days of the orgs that held the devices at the given quarters.
create function ec.await_days(device_nums int[], quarters timestamptz[]) returns void
language sql set search_path = ''
as $$
  insert into ec.rollup_pending (level, device_num, org_num, bucket, ends_at)
  select distinct '1d', q.device_num, q.org_num, d.bucket, ec.next_day_start(d.bucket, o.timezone)
  from unnest(await_days.device_nums, await_days.quarters) as x (device_num, bucket)
  join public.rollups_15m q on q.device_num = x.device_num and q.bucket = x.bucket
  join public.orgs o on o.num = q.org_num
  cross join lateral ec.day_start(x.bucket, o.timezone) as d (bucket)
  on conflict do nothing
$$;

create function ec.take_due(
  level text, now timestamptz, max_buckets int,
  out device_nums int[], out org_nums int[], out starts timestamptz[], out ends timestamptz[]
)
language sql set search_path = ''
as $$
  with due as (
    delete from ec.rollup_pending p
    where (p.level, p.device_num, p.org_num, p.bucket) in (
      select d.level, d.device_num, d.org_num, d.bucket from ec.rollup_pending d
      where d.level = take_due.level and d.ends_at <= take_due.now order by d.ends_at limit max_buckets)
    returning p.device_num, p.org_num, p.bucket, p.ends_at
  )
  select array_agg(d.device_num), array_agg(d.org_num), array_agg(d.bucket), array_agg(d.ends_at) from due d
$$;

-- The buckets that are over, from the finest level up. Returns how many were computed.
create function ec.roll_pending(now timestamptz, max_buckets int) returns int
language plpgsql set search_path = ''
as $$
declare
  due record;
  done int := 0;
begin
  select * into due from ec.take_due('5m', roll_pending.now, max_buckets);
  if due.device_nums is not null then
    perform ec.roll_level('rollups_5m', 'rollups_1m', '5 minutes', due.device_nums, due.starts);
    perform ec.await_rollups('15m', due.device_nums, due.starts);
    done := done + cardinality(due.starts);
  end if;
  select * into due from ec.take_due('15m', roll_pending.now, max_buckets);
  if due.device_nums is not null then
    perform ec.roll_level('rollups_15m', 'rollups_5m', '15 minutes', due.device_nums, due.starts);
    perform ec.await_rollups('1h', due.device_nums, due.starts);
    perform ec.await_days(due.device_nums, due.starts);
    done := done + cardinality(due.starts);
  end if;
  select * into due from ec.take_due('1h', roll_pending.now, max_buckets);
  if due.device_nums is not null then
    perform ec.roll_level('rollups_1h', 'rollups_15m', '1 hour', due.device_nums, due.starts);
    done := done + cardinality(due.starts);
  end if;
  select * into due from ec.take_due('1d', roll_pending.now, max_buckets);
  if due.device_nums is not null then
    perform ec.roll_days(due.device_nums, due.org_nums, due.starts, due.ends);
    done := done + cardinality(due.starts);
  end if;
  return done;
end
$$;

-- Every minute, by cron. A run takes a bounded part of the work list; what is left waits for the next one.
-- Returns how many buckets were computed, or −1 when another run is at it.
create function ec.run_rollups(now timestamptz) returns int
language plpgsql security definer set search_path = '' set timezone = 'UTC'
as $$
declare
  this_minute int := floor(extract(epoch from run_rollups.now) / 60);
  nums int[];
  mins int[];
  taken int;
  done int := 0;
begin
  if not pg_try_advisory_xact_lock(hashtext('ec.rollups')) then
    return -1;
  end if;

  with consumed as (
    delete from ec.ingest_log l
    where l.id in (select o.id from ec.ingest_log o order by o.id limit 20000)
    returning l.device_nums, l.minutes
  ), touched as (
    select distinct x.device_num, x.minute from consumed c cross join lateral unnest(c.device_nums, c.minutes) as x (device_num, minute)
  ), later as (
    -- Minutes that still run, and those of devices whose clock is ahead, go back on the list.
    insert into ec.ingest_log (device_nums, minutes)
    select array_agg(t.device_num), array_agg(t.minute) from touched t where t.minute >= this_minute having count(*) > 0
  )
  select array_agg(t.device_num order by t.device_num, t.minute) filter (where t.minute < this_minute),
    array_agg(t.minute order by t.device_num, t.minute) filter (where t.minute < this_minute),
    (select count(*) from consumed)
  into nums, mins, taken from touched t;

  if nums is not null then
    done := cardinality(nums);
    -- In parts: a statement over a long back-log would spill its groups to disk.
    for part in 0 .. (done - 1) / 5000 loop
      perform ec.roll_minutes(nums[part * 5000 + 1 : part * 5000 + 5000],
        array(select to_timestamp(m * 60::float8) from unnest(mins[part * 5000 + 1 : part * 5000 + 5000]) m));
    end loop;
    perform ec.await_rollups('5m', nums, array(select to_timestamp(m * 60::float8) from unnest(mins) with ordinality u (m, n) order by n));
  end if;
  done := done + ec.roll_pending(run_rollups.now, 100000);

  -- Only a run that emptied the list has rolled everything up to this minute.
  if coalesce(taken, 0) < 20000 then
    update ec.rollup_progress p set rolled_until = greatest(p.rolled_until, to_timestamp(this_minute * 60::float8));
  end if;
  return done;
end
$$;
comment on function ec.run_rollups is 'Rolls up what ingest logged since the last run';
grant execute on function ec.run_rollups to ec_worker;

-- For history written in bulk, behind ingest's back: computes every level of a range again from raw rows, of
-- the devices or, with null, of all. The range is widened to whole quarters of an hour and ends now.
create function ec.rebuild_rollups(device_nums int[], starts timestamptz, ends timestamptz) returns int
language plpgsql security definer set search_path = '' set timezone = 'UTC' set jit = off set work_mem = '64MB'
as $$
declare
  first_at timestamptz := date_bin('15 minutes', rebuild_rollups.starts, 'epoch');
  last_at timestamptz := least(date_bin('15 minutes', rebuild_rollups.ends + interval '15 minutes', 'epoch'), date_trunc('minute', clock_timestamp()));
  num int;
  done int := 0;
  made int;
begin
  perform pg_advisory_xact_lock(hashtext('ec.rollups'));
  foreach num in array coalesce(rebuild_rollups.device_nums, array(select d.num from public.devices d)) loop
    insert into public.rollups_1m as r (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
    select num, g.bucket, g.tenure_id, g.org_num,
      array_agg(g.key order by g.key), array_agg(g.n order by g.key), array_agg(g.lo order by g.key),
      array_agg(g.hi order by g.key), array_agg(g.total order by g.key)
    from (
      select date_bin('1 minute', t.ts, 'epoch') as bucket, t.tenure_id, t.org_num, e.key, count(*)::int as n,
        min(e.value::float8) as lo, max(e.value::float8) as hi, sum(e.value::float8) as total
      from public.telemetry t cross join lateral jsonb_each(t.data) e
      where t.device_num = num and t.ts >= first_at and t.ts < last_at and jsonb_typeof(e.value) = 'number'
      group by 1, 2, 3, 4
    ) g
    group by g.bucket, g.tenure_id, g.org_num
    on conflict (device_num, bucket, tenure_id) do update set org_num = excluded.org_num,
      keys = excluded.keys, counts = excluded.counts, mins = excluded.mins, maxs = excluded.maxs, sums = excluded.sums;
    get diagnostics made = row_count;
    done := done + made;
  end loop;

  insert into ec.rollup_pending (level, device_num, bucket, ends_at)
  select distinct '5m', m.device_num, b.bucket, b.bucket + interval '5 minutes'
  from public.rollups_1m m, date_bin('5 minutes', m.bucket, 'epoch') as b (bucket)
  where (rebuild_rollups.device_nums is null or m.device_num = any (rebuild_rollups.device_nums)) and m.bucket >= first_at and m.bucket < last_at
  on conflict do nothing;
  loop
    made := ec.roll_pending(clock_timestamp(), 20000);
    exit when made = 0;
    done := done + made;
  end loop;
  return done;
end
$$;
comment on function ec.rebuild_rollups is 'Computes the roll-ups of devices and a range again from raw rows';
grant execute on function ec.rebuild_rollups to ec_worker;
