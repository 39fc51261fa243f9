-- Partitions: made ahead by cron and at every start, dropped when retention ends (TEL). A row that finds no
-- partition lands in the default one and is moved when its partition is made.

create function ec.ensure_partition(parent text, name text, starts timestamptz, ends timestamptz) returns bool
language plpgsql set search_path = ''
as $$
declare
  key_column text := case parent when 'telemetry' then 'ts' else 'bucket' end;
begin
  if to_regclass(format('ec.%I', name)) is not null then
    return false;
  end if;
  execute format('create table ec.%I (like public.%I including defaults including constraints including storage)', name, parent);
  execute format('alter table ec.%I enable row level security', name);
  execute format(
    'with moved as (delete from ec.%I where %I >= %L and %I < %L returning *) insert into ec.%I select * from moved',
    parent || '_default', key_column, starts, key_column, ends, name);
  execute format('alter table public.%I attach partition ec.%I for values from (%L) to (%L)', parent, name, starts, ends);
  return true;
end
$$;

-- Makes what is missing from `back` before now until three days ahead, and returns how many were made.
create function ec.ensure_partitions(now timestamptz, back interval default '8 days') returns int
language plpgsql security definer set search_path = '' set timezone = 'UTC'
as $$
declare
  made int := 0;
  day timestamptz;
begin
  perform pg_advisory_xact_lock(hashtext('ec.partitions'));
  for day in select generate_series(date_trunc('day', ensure_partitions.now - back), ensure_partitions.now + interval '3 days', interval '1 day') loop
    made := made
      + ec.ensure_partition('telemetry', 'telemetry_' || to_char(day, 'YYYYMMDD'), day, day + interval '1 day')::int
      + ec.ensure_partition('rollups_1m', 'rollups_1m_' || to_char(day, 'YYYYMMDD'), day, day + interval '1 day')::int
      + ec.ensure_partition('rollups_5m', 'rollups_5m_' || to_char(day, 'YYYYMMDD'), day, day + interval '1 day')::int;
  end loop;
  for day in select generate_series(date_trunc('month', ensure_partitions.now - back), ensure_partitions.now + interval '3 days', interval '1 month') loop
    made := made + ec.ensure_partition('rollups_15m', 'rollups_15m_' || to_char(day, 'YYYYMM'), day, day + interval '1 month')::int;
  end loop;
  return made;
end
$$;
comment on function ec.ensure_partitions is 'Makes the partitions of the coming three days and of the past that readings may still arrive for';
grant execute on function ec.ensure_partitions to ec_worker;

-- Raw 8 days, single and five minutes 30 days, quarters of an hour 400 days; hours and days stay. Returns how many were dropped.
create function ec.drop_old_partitions(now timestamptz) returns int
language plpgsql security definer set search_path = '' set timezone = 'UTC' set lock_timeout = '5s'
as $$
declare
  dropped int := 0;
  old record;
begin
  perform pg_advisory_xact_lock(hashtext('ec.partitions'));
  for old in
    select c.relname
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    join pg_catalog.pg_class p on p.oid = i.inhparent
    join (values ('telemetry', interval '8 days'), ('rollups_1m', interval '30 days'),
      ('rollups_5m', interval '30 days'), ('rollups_15m', interval '400 days'))
      as kept (parent, age) on kept.parent = p.relname
    where p.relnamespace = 'public'::regnamespace
      and (pg_catalog.regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid), $re$TO \('([^']+)'\)$re$))[1]::timestamptz
        <= drop_old_partitions.now - kept.age
    order by c.relname
  loop
    execute format('drop table ec.%I', old.relname);
    dropped := dropped + 1;
  end loop;
  delete from ec.telemetry_default t where t.ts < drop_old_partitions.now - interval '8 days';
  delete from ec.rollups_1m_default r where r.bucket < drop_old_partitions.now - interval '30 days';
  delete from ec.rollups_5m_default r where r.bucket < drop_old_partitions.now - interval '30 days';
  delete from ec.rollups_15m_default r where r.bucket < drop_old_partitions.now - interval '400 days';
  return dropped;
end
$$;
comment on function ec.drop_old_partitions is 'Ends what retention no longer keeps, by dropping partitions';
grant execute on function ec.drop_old_partitions to ec_worker;

-- Every start of a fresh database finds its partitions there.
select ec.ensure_partitions(now());
