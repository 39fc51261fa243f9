-- The one function both doors end in (architecture, decision 8): dedup, raw rows, device state, reported
-- shadow, deviations, roll-up work list and live broadcast in the caller's transaction.

-- Every packet rewrites a row of device_state and every batch adds a row to the work list that a roll-up takes
-- away: dead rows are swept long before a fifth of the table is dead. Arrays are not worth compressing.
alter table public.device_state set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000);
alter table ec.ingest_log set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
alter table ec.ingest_log alter column device_nums set storage external, alter column minutes set storage external;

-- Which of the items, marked as re-delivered by the broker and without a device time, are stored already:
-- equal to one of the device's last 64 packets. Such a packet has its arrival as time, so others never match.
create function ec.find_redelivered(items jsonb) returns int[]
language sql stable set search_path = ''
as $$
  select coalesce(array_agg(p.i), '{}')
  from jsonb_to_recordset(items) as p (i int, s text, d jsonb, q bigint)
  join public.device_state s on s.serial = p.s
  where exists (
    select from (
      select t.ts, t.received_at, t.seq, t.data from public.telemetry t
      where t.device_num = s.device_num order by t.ts desc limit 64
    ) as newest
    where newest.ts = newest.received_at and newest.data = p.d and newest.seq is not distinct from p.q
  )
$$;

-- Of items whose (device, time) is taken: the ones that carry no time of their own and are not what is stored
-- there. Two arrivals met in one microsecond; the caller moves them on instead of losing them.
create function ec.find_collided(items jsonb, conflicts int[]) returns int[]
language sql stable set search_path = '' set enable_hashjoin = off
as $$
  select coalesce(array_agg(p.i), '{}')
  from jsonb_to_recordset(items) as p (i int, s text, d jsonb, r bigint, t bigint, q bigint)
  join public.device_state s on s.serial = p.s
  join public.telemetry e on e.device_num = s.device_num and e.ts = to_timestamp(p.r::float8 / 1e6)
  where p.i = any (conflicts) and p.t is null
    and not (e.received_at = e.ts and e.data = p.d and e.seq is not distinct from p.q)
$$;

-- Items whose number is in `wanted`, their arrivals moved on by `later` microseconds, without the mark dup
-- when `plain`.
create function ec.pick_items(items jsonb, wanted int[], later int default 0, plain bool default false) returns jsonb
language sql immutable set search_path = ''
as $$
  select jsonb_agg(case when later > 0 then jsonb_set(e, '{r}', to_jsonb((e ->> 'r')::bigint + later)) else e end
    - case when plain then 'dup' else '' end)
  from jsonb_array_elements(items) as e
  where ((e ->> 'i')::int in (select unnest(wanted))) is true
$$;

-- Arrivals of one device that are equal to the microsecond, made different in their order.
create function ec.spread_arrivals(items jsonb, wanted int[]) returns jsonb
language sql immutable set search_path = ''
as $$
  select jsonb_agg(case when x.nth > 1 then jsonb_set(x.e, '{r}', to_jsonb(x.r + x.nth - 1)) else x.e end)
  from (
    select e, (e ->> 'i')::int as i, (e ->> 'r')::bigint as r, case when e ->> 't' is null
      then row_number() over (partition by e ->> 's', e ->> 'r', e ->> 't' is null order by (e ->> 'i')::int) else 1 end as nth
    from jsonb_array_elements(items) as e
  ) as x
  where (x.i in (select unnest(wanted))) is true
$$;

create function ec.ingest_packets(items jsonb, door text, careful bool) returns jsonb
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
begin
  select * into fast from ec.ingest_distinct(items, door, careful);
  accepted := fast.accepted; nums := fast.device_nums; mins := fast.minutes; firsts := fast.first_time;
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
    else
      turn := todo;
      select * into slow from ec.ingest_runs(turn, door);
      accepted := accepted + slow.accepted; nums := nums || slow.device_nums; mins := mins || slow.minutes; firsts := firsts || slow.first_time;
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

  return jsonb_build_object(
    'accepted', accepted, 'duplicate', cardinality(duplicates), 'rejected', cardinality(unknown),
    'duplicates', to_jsonb(array(select unnest(duplicates) order by 1)),
    'rejects', (select coalesce(jsonb_agg(jsonb_build_object('i', i, 'reason', 'unknown_device') order by i), '[]') from unnest(unknown) i));
end
$$;

create function ec.mark_first_packet(device_nums int[]) returns void
language plpgsql set search_path = ''
as $$
begin
  update public.devices d set
    lifecycle = case when d.lifecycle = 'retired' then d.lifecycle else 'active' end,
    activated_at = coalesce(d.activated_at, clock_timestamp())
  where d.num = any (device_nums) and (d.activated_at is null or d.lifecycle in ('manufactured', 'claimed'));
  update public.device_credentials c set first_used_at = clock_timestamp(), last_used_at = clock_timestamp()
  from public.devices d
  where d.num = any (device_nums) and c.device_id = d.id and c.first_used_at is null and c.revoked_at is null;
end
$$;

create function ec.reject_unknown(items jsonb, door text) returns void
language sql set search_path = ''
as $$
  insert into public.dead_letters (serial, door, reason, detail, payload, payload_bytes, received_at)
  select p.s, door, 'unknown_device', 'No device with this serial is registered.',
    left(p.d::text, 2000), octet_length(p.d::text), to_timestamp(p.r::float8 / 1e6)
  from jsonb_to_recordset(items) as p (s text, d jsonb, r bigint)
$$;

-- A value that passed the contract and still fails here must cost only itself: halves are tried until the
-- packet is alone, and that one becomes a dead letter. Only errors that values cause come here.
-- The items are read as text: no JSON function accepts, say, \u0000 anywhere in what it walks through.
create function ec.item_serial(item json) returns text
language sql immutable set search_path = ''
as $$ select substring(item::text from '^\s*{\s*"i"\s*:\s*\d+\s*,\s*"s"\s*:\s*"([A-Za-z0-9_-]{3,64})"') $$;

create function ec.ingest_halves(batch json, door text, reason text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  items json[] := array(select json_array_elements(batch));
  n int := cardinality(items);
  first_half jsonb;
  second_half jsonb;
begin
  if n > 1 then
    -- Locked in the order every other call locks in.
    perform from public.device_state s
      where s.serial in (select ec.item_serial(item) from unnest(items) item) order by s.device_num for no key update;
    first_half := ec.ingest_telemetry((select json_agg(item order by o) from unnest(items[:n / 2]) with ordinality x (item, o)), door);
    second_half := ec.ingest_telemetry((select json_agg(item order by o) from unnest(items[n / 2 + 1:]) with ordinality x (item, o)), door);
    return jsonb_build_object(
      'accepted', (first_half -> 'accepted')::int + (second_half -> 'accepted')::int,
      'duplicate', (first_half -> 'duplicate')::int + (second_half -> 'duplicate')::int,
      'rejected', (first_half -> 'rejected')::int + (second_half -> 'rejected')::int,
      'duplicates', (first_half -> 'duplicates') || (second_half -> 'duplicates'),
      'rejects', (first_half -> 'rejects') || (second_half -> 'rejects'));
  end if;

  insert into public.dead_letters (org_id, device_id, serial, door, reason, detail, payload, payload_bytes)
  select d.org_id, d.id, ec.item_serial(items[1]), door, 'bad_value', left(reason, 500), left(items[1]::text, 2000), octet_length(items[1]::text)
  from (select) as one left join public.devices d on d.serial = ec.item_serial(items[1]);
  return jsonb_build_object('accepted', 0, 'duplicate', 0, 'rejected', 1, 'duplicates', '[]'::jsonb,
    'rejects', jsonb_build_array(jsonb_build_object(
      'i', substring(items[1]::text from '^\s*{\s*"i"\s*:\s*(\d+)')::int, 'reason', 'bad_value')));
end
$$;

-- batch: [{"i": number of the item, ascending, "s": serial, "d": values, "r": arrival in µs since the epoch,
--   "t": device time in ms or null, "q": seq or null, "dup": re-delivered by the broker?}]
-- returns {accepted, duplicate, rejected, duplicates: [i], rejects: [{i, reason}]}
-- Errors: 40P01 and 57xxx may be tried again as they are; a failed call stored nothing.
create function ec.ingest_telemetry(batch json, door text) returns jsonb
language plpgsql security definer set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_mergejoin = off
set jit = off
as $$
begin
  begin
    return ec.ingest_packets(batch::jsonb, door, false);
  exception when unique_violation then
    return ec.ingest_packets(batch::jsonb, door, true);
  end;
exception when data_exception or program_limit_exceeded or not_null_violation then
  return ec.ingest_halves(batch, door, sqlerrm);
end
$$;
comment on function ec.ingest_telemetry is 'Stores a batch of packets of any devices; both doors call it';
grant execute on function ec.ingest_telemetry to ec_bridge;
