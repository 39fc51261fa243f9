-- Ingest tells which of a batch's devices something waits for. It reads their rows anyway, so this costs nothing
-- while nothing waits. Over MQTT it goes out at once; the HTTPS door gets the numbers as `waiting` and answers.

-- As before, and
--   waiting     devices something waits for, stored packets or not
drop function ec.ingest_distinct(jsonb, text, bool);
create function ec.ingest_distinct(
  items jsonb, door text, careful bool,
  out accepted int, out conflicts int[], out unknown int[], out rest int[],
  out device_nums int[], out minutes int[], out first_time int[], out waiting int[]
)
language plpgsql set search_path = ''
as $$
begin
  with parsed as materialized (
    select p.i, p.s, p.d, p.q,
      coalesce(p.dup, false) and p.t is null as redelivered,
      to_timestamp(p.r::float8 / 1e6) as received_at,
      to_timestamp(coalesce(p.t::float8 / 1e3, p.r::float8 / 1e6)) as ts,
      case when jsonb_typeof(p.d -> 'temp') = 'number' then (p.d -> 'temp')::float8 end as temp,
      case when jsonb_typeof(p.d -> 'hum') = 'number' then (p.d -> 'hum')::float8 end as hum,
      case when jsonb_typeof(p.d -> 'co2') = 'number' then (p.d -> 'co2')::float8 end as co2,
      case when jsonb_typeof(p.d -> 'bat') = 'number' then (p.d -> 'bat')::float8 end as bat,
      row_number() over (partition by p.s order by p.i) as nth
    from jsonb_to_recordset(items) as p (i int, s text, d jsonb, r bigint, t bigint, q bigint, dup bool)
  ), held as materialized (
    select p.i, p.d, p.q, p.redelivered, p.received_at, p.ts, p.temp, p.hum, p.co2, p.bat,
      s.device_num, s.product_type, s.active, s.pending, f.newest, f.same_keys,
      coalesce(e.org_num, s.org_num) as org_num, coalesce(e.tenure_id, s.tenure_id) as tenure_id,
      -- The running sums only pick who is looked at; the mean that counts is summed from the window itself.
      case when f.newest and (
        cardinality(s.w_temp) = 29 and abs(p.temp * 29 - s.s_temp) >= 0.1999 * abs(s.s_temp)
        or cardinality(s.w_hum) = 29 and abs(p.hum * 29 - s.s_hum) >= 0.1999 * abs(s.s_hum)
        or cardinality(s.w_co2) = 29 and abs(p.co2 * 29 - s.s_co2) >= 0.1999 * abs(s.s_co2)
        or cardinality(s.w_bat) = 29 and abs(p.bat * 29 - s.s_bat) >= 0.1999 * abs(s.s_bat)
      ) then row(
        case when cardinality(s.w_temp) = 29 and abs(p.temp * 29 - s.s_temp) >= 0.1999 * abs(s.s_temp) then s.w_temp end,
        case when cardinality(s.w_hum) = 29 and abs(p.hum * 29 - s.s_hum) >= 0.1999 * abs(s.s_hum) then s.w_hum end,
        case when cardinality(s.w_co2) = 29 and abs(p.co2 * 29 - s.s_co2) >= 0.1999 * abs(s.s_co2) then s.w_co2 end,
        case when cardinality(s.w_bat) = 29 and abs(p.bat * 29 - s.s_bat) >= 0.1999 * abs(s.s_bat) then s.w_bat end
      )::ec.reading_windows end as suspect
    from parsed p
    join public.device_state s on s.serial = p.s
    cross join lateral (
      select (s.reported_at is null or p.ts > s.reported_at) and p.ts >= s.tenure_started_at as newest,
        p.d ?& s.packet_keys and p.d - s.packet_keys = '{}' as same_keys
    ) f
    left join lateral (
      -- A reading from before the tenure belongs to whoever held the device then.
      select t.id as tenure_id, o.num as org_num
      from public.device_tenures t join public.orgs o on o.id = t.org_id
      where p.ts < s.tenure_started_at and t.device_id = s.device_id
      order by t.started_at <= p.ts desc, case when t.started_at <= p.ts then t.started_at end desc, t.started_at
      limit 1
    ) e on true
    where p.nth <= 1
    order by s.device_num
    for no key update of s
  ), stored_newest as (
    insert into public.telemetry (device_num, ts, received_at, org_num, tenure_id, seq, data)
    select h.device_num, h.ts, h.received_at, h.org_num, h.tenure_id, h.q, h.d
    from held h
    where h.newest and not h.redelivered and not careful
    returning device_num, ts
  ), stored_late as (
    insert into public.telemetry (device_num, ts, received_at, org_num, tenure_id, seq, data)
    select h.device_num, h.ts, h.received_at, h.org_num, h.tenure_id, h.q, h.d
    from held h
    where (not h.newest or careful) and not h.redelivered
    on conflict do nothing
    returning device_num, ts
  ), stored as materialized (
    select n.device_num, n.ts from stored_newest n union all select l.device_num, l.ts from stored_late l
  ), written as (
    update public.device_state s set
      last_seen = greatest(s.last_seen, h.received_at),
      last_telemetry_at = greatest(s.last_telemetry_at, h.received_at),
      last_door = door,
      active = true,
      connected = s.connected or door = 'mqtt' and h.received_at >= coalesce(s.connected_changed_at, h.received_at),
      connected_changed_at = case
        when not s.connected and door = 'mqtt' and h.received_at >= coalesce(s.connected_changed_at, h.received_at)
          then h.received_at else s.connected_changed_at end,
      reported = case when not h.newest then s.reported when h.same_keys and s.older = '{}' then h.d
        else s.reported || h.d end,
      reported_at = case when h.newest then h.ts else s.reported_at end,
      reported_version = s.reported_version + h.newest::int,
      older = case when not h.newest or h.same_keys then s.older
        else ec.older_times(s.reported, s.reported_at, s.older, h.d) end,
      packet_keys = case when not h.newest or h.same_keys then s.packet_keys
        else array(select jsonb_object_keys(h.d)) end,
      last_seq = case when h.newest then coalesce(h.q, s.last_seq) else s.last_seq end,
      w_temp = case when not h.newest or h.temp is null then s.w_temp
        when cardinality(s.w_temp) < 29 then s.w_temp || h.temp else s.w_temp[2:29] || h.temp end,
      s_temp = case when not h.newest or h.temp is null then s.s_temp when cardinality(s.w_temp) < 29 then s.s_temp + h.temp
        when s.reported_version % 64 = 0 or abs(s.w_temp[1]) > 1e6 then ec.sum_of(s.w_temp[2:29]) + h.temp
        else s.s_temp + h.temp - s.w_temp[1] end,
      w_hum = case when not h.newest or h.hum is null then s.w_hum
        when cardinality(s.w_hum) < 29 then s.w_hum || h.hum else s.w_hum[2:29] || h.hum end,
      s_hum = case when not h.newest or h.hum is null then s.s_hum when cardinality(s.w_hum) < 29 then s.s_hum + h.hum
        when s.reported_version % 64 = 0 or abs(s.w_hum[1]) > 1e6 then ec.sum_of(s.w_hum[2:29]) + h.hum
        else s.s_hum + h.hum - s.w_hum[1] end,
      w_co2 = case when not h.newest or h.co2 is null then s.w_co2
        when cardinality(s.w_co2) < 29 then s.w_co2 || h.co2 else s.w_co2[2:29] || h.co2 end,
      s_co2 = case when not h.newest or h.co2 is null then s.s_co2 when cardinality(s.w_co2) < 29 then s.s_co2 + h.co2
        when s.reported_version % 64 = 0 or abs(s.w_co2[1]) > 1e6 then ec.sum_of(s.w_co2[2:29]) + h.co2
        else s.s_co2 + h.co2 - s.w_co2[1] end,
      w_bat = case when not h.newest or h.bat is null then s.w_bat
        when cardinality(s.w_bat) < 29 then s.w_bat || h.bat else s.w_bat[2:29] || h.bat end,
      s_bat = case when not h.newest or h.bat is null then s.s_bat when cardinality(s.w_bat) < 29 then s.s_bat + h.bat
        when s.reported_version % 64 = 0 or abs(s.w_bat[1]) > 1e6 then ec.sum_of(s.w_bat[2:29]) + h.bat
        else s.s_bat + h.bat - s.w_bat[1] end
    from held h
    where s.device_num = h.device_num and (h.device_num in (select stored.device_num from stored)) is true
  ), deviated as (
    insert into public.deviations (device_num, org_num, tenure_id, metric, ts, value, mean, pct)
    select h.device_num, h.org_num, h.tenure_id, c.metric, h.ts, c.reading, m.mean, p.pct
    from held h
    cross join lateral (values
      ('temp', h.temp, (h.suspect).w_temp), ('hum', h.hum, (h.suspect).w_hum), ('co2', h.co2, (h.suspect).w_co2), ('bat', h.bat, (h.suspect).w_bat)
    ) as c (metric, reading, readings)
    join public.metric_definitions d on d.product_type = h.product_type and d.key = c.metric and d.watched
    cross join lateral (select sum(r.v) / 29 from unnest(c.readings) as r (v)) as m (mean)
    cross join lateral (select 100 * (c.reading - m.mean) / nullif(greatest(abs(m.mean), d.min_denominator), 0)) as p (pct)
    where not h.suspect is null and (h.device_num in (select stored.device_num from stored)) is true
      and c.readings is not null and abs(c.reading - m.mean) >= d.min_deviation and abs(p.pct) >= 20
  )
  select k.n, k.nums, k.mins,
    case when h.actives < h.fresh + h.redelivered then (select array_agg(x.device_num) from held x
      where not x.active and (x.device_num in (select stored.device_num from stored)) is true) end,
    case when h.pending > 0 then (select array_agg(x.device_num) from held x where x.pending) end,
    case when k.n < h.fresh then array(select x.i from held x
      where not x.redelivered and (x.device_num in (select stored.device_num from stored)) is not true) end,
    case when h.fresh + h.redelivered < p.serials then array(select x.i from parsed x
      where not exists (select from public.device_state s where s.serial = x.s)) end,
    case when p.n > p.serials or h.redelivered > 0 then array(select x.i from parsed x
      where (x.nth > 1 or x.redelivered) and exists (select from public.device_state s where s.serial = x.s)) end
  into accepted, device_nums, minutes, first_time, waiting, conflicts, unknown, rest
  from (
    select count(*)::int, array_agg(device_num), array_agg(floor(extract(epoch from ts)::float8 / 60)::int) from stored
  ) as k (n, nums, mins), (
    select count(*) filter (where not redelivered), count(*) filter (where redelivered), count(*) filter (where active),
      count(*) filter (where pending)
    from held
  ) as h (fresh, redelivered, actives, pending), (
    select count(*), count(*) filter (where nth = 1) from parsed
  ) as p (n, serials);
end
$$;
comment on function ec.ingest_distinct is 'Stores the first packet of every device in a batch; internal to ec.ingest_telemetry';

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
begin
  select * into fast from ec.ingest_distinct(items, door, careful);
  accepted := fast.accepted; nums := fast.device_nums; mins := fast.minutes; firsts := fast.first_time;
  -- The first call has met every device of the batch.
  waiting := fast.waiting;
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

  if waiting is not null and door = 'mqtt' then perform ec.deliver_commands(waiting); end if;

  return jsonb_build_object(
    'accepted', accepted, 'duplicate', cardinality(duplicates), 'rejected', cardinality(unknown),
    'duplicates', to_jsonb(array(select unnest(duplicates) order by 1)),
    'rejects', (select coalesce(jsonb_agg(jsonb_build_object('i', i, 'reason', 'unknown_device') order by i), '[]') from unnest(unknown) i))
    || case when waiting is null or door = 'mqtt' then '{}' else jsonb_build_object('waiting', to_jsonb(waiting)) end;
end
$$;
