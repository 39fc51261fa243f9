-- The fast path of ingest: the first packet of every device in the batch, in one statement. A steady fleet
-- sends batches in which every device appears once, so this is where nearly all readings pass.
--
-- Device rows are locked in the order of device_num. Both doors and every bridge do so, which is why
-- overlapping batches wait for each other and never deadlock.
--
-- `x in (select …) is true` keeps the planner on a hashed subplan: the row counts of the common table
-- expressions are guesses, and a nested loop over them would be quadratic.
--
-- Results (device_nums and minutes are parallel):
--   accepted    packets stored
--   conflicts   items whose (device, time) is stored already
--   unknown     items of serials nobody registered
--   rest        items left for another pass: later packets of a device, and re-delivered ones
create function ec.ingest_distinct(
  items jsonb, door text,
  out accepted int, out conflicts int[], out unknown int[], out rest int[],
  out device_nums int[], out minutes int[], out first_time int[]
)
language plpgsql set search_path = ''
as $$
begin
  with parsed as materialized (
    select p.i, p.s, p.d, p.q,
      coalesce(p.dup, false) and p.t is null as redelivered,
      to_timestamp(p.r::float8 / 1e6) as received_at,
      to_timestamp(coalesce(p.t::float8 / 1e3, p.r::float8 / 1e6)) as ts,
      row_number() over (partition by p.s order by p.i) as nth
    from jsonb_to_recordset(items) as p (i int, s text, d jsonb, r bigint, t bigint, q bigint, dup bool)
  ), held as materialized (
    select p.i, p.d, p.q, p.redelivered, p.received_at, p.ts,
      s.device_num, s.org_num, s.tenure_id, s.product_type, s.reported, s.active,
      s.reported_at is null or p.ts > s.reported_at as newest,
      s.w_temp, s.w_hum, s.w_co2, s.w_bat, s.s_temp, s.s_hum, s.s_co2, s.s_bat,
      case when jsonb_typeof(p.d -> 'temp') = 'number' then (p.d -> 'temp')::float8 end as temp,
      case when jsonb_typeof(p.d -> 'hum') = 'number' then (p.d -> 'hum')::float8 end as hum,
      case when jsonb_typeof(p.d -> 'co2') = 'number' then (p.d -> 'co2')::float8 end as co2,
      case when jsonb_typeof(p.d -> 'bat') = 'number' then (p.d -> 'bat')::float8 end as bat
    from parsed p
    join public.device_state s on s.serial = p.s
    where p.nth <= 1
    order by s.device_num
    for no key update of s
  ), stored as (
    insert into public.telemetry (device_num, ts, received_at, org_num, tenure_id, seq, data)
    select h.device_num, h.ts, h.received_at, h.org_num, h.tenure_id, h.q, h.d
    from held h
    where not h.redelivered
    on conflict do nothing
    returning device_num
  ), kept as materialized (
    select h.*, h.reported || h.d as merged,
      h.newest and h.temp is not null as has_temp, cardinality(h.w_temp) = 29 as full_temp,
      h.newest and h.hum is not null as has_hum, cardinality(h.w_hum) = 29 as full_hum,
      h.newest and h.co2 is not null as has_co2, cardinality(h.w_co2) = 29 as full_co2,
      h.newest and h.bat is not null as has_bat, cardinality(h.w_bat) = 29 as full_bat
    from held h
    where (h.device_num in (select stored.device_num from stored)) is true
  ), written as (
    update public.device_state s set
      last_seen = greatest(s.last_seen, k.received_at),
      last_telemetry_at = greatest(s.last_telemetry_at, k.received_at),
      last_door = door,
      active = true,
      connected = s.connected or door = 'mqtt' and k.received_at >= coalesce(s.connected_changed_at, k.received_at),
      connected_changed_at = case
        when not s.connected and door = 'mqtt' and k.received_at >= coalesce(s.connected_changed_at, k.received_at)
          then k.received_at else s.connected_changed_at end,
      reported = case when k.newest then k.merged else s.reported end,
      reported_at = case when k.newest then k.ts else s.reported_at end,
      reported_version = s.reported_version + k.newest::int,
      older = case when not k.newest then s.older when k.merged = k.d then '{}'
        else ec.older_times(s.reported, s.reported_at, s.older, k.d) end,
      last_seq = case when k.newest then coalesce(k.q, s.last_seq) else s.last_seq end,
      w_temp = case when k.has_temp then (case when k.full_temp then k.w_temp[2:29] else k.w_temp end) || k.temp else s.w_temp end,
      w_hum = case when k.has_hum then (case when k.full_hum then k.w_hum[2:29] else k.w_hum end) || k.hum else s.w_hum end,
      w_co2 = case when k.has_co2 then (case when k.full_co2 then k.w_co2[2:29] else k.w_co2 end) || k.co2 else s.w_co2 end,
      w_bat = case when k.has_bat then (case when k.full_bat then k.w_bat[2:29] else k.w_bat end) || k.bat else s.w_bat end,
      s_temp = case when not k.has_temp then s.s_temp when not k.full_temp then k.s_temp + k.temp
        when s.reported_version % 64 = 0 or abs(k.w_temp[1]) > 1e6 then ec.sum_of(k.w_temp[2:29]) + k.temp
        else k.s_temp + k.temp - k.w_temp[1] end,
      s_hum = case when not k.has_hum then s.s_hum when not k.full_hum then k.s_hum + k.hum
        when s.reported_version % 64 = 0 or abs(k.w_hum[1]) > 1e6 then ec.sum_of(k.w_hum[2:29]) + k.hum
        else k.s_hum + k.hum - k.w_hum[1] end,
      s_co2 = case when not k.has_co2 then s.s_co2 when not k.full_co2 then k.s_co2 + k.co2
        when s.reported_version % 64 = 0 or abs(k.w_co2[1]) > 1e6 then ec.sum_of(k.w_co2[2:29]) + k.co2
        else k.s_co2 + k.co2 - k.w_co2[1] end,
      s_bat = case when not k.has_bat then s.s_bat when not k.full_bat then k.s_bat + k.bat
        when s.reported_version % 64 = 0 or abs(k.w_bat[1]) > 1e6 then ec.sum_of(k.w_bat[2:29]) + k.bat
        else k.s_bat + k.bat - k.w_bat[1] end
    from kept k
    where s.device_num = k.device_num
  ), deviated as (
    -- The running sums only pick who is looked at; the mean that counts is summed from the window itself.
    insert into public.deviations (device_num, org_num, tenure_id, metric, ts, value, mean, pct)
    select k.device_num, k.org_num, k.tenure_id, w.metric, k.ts, w.reading, w.mean, w.pct
    from kept k
    cross join lateral (
      select c.metric, c.reading, m.mean,
        ec.deviation_pct(c.reading, m.mean, d.min_deviation, d.min_denominator) as pct
      from (values
        ('temp', k.temp, k.w_temp, k.has_temp and k.full_temp), ('hum', k.hum, k.w_hum, k.has_hum and k.full_hum),
        ('co2', k.co2, k.w_co2, k.has_co2 and k.full_co2), ('bat', k.bat, k.w_bat, k.has_bat and k.full_bat)
      ) as c (metric, reading, readings, ready)
      cross join lateral (select ec.sum_of(c.readings) / 29) as m (mean)
      join public.metric_definitions d on d.product_type = k.product_type and d.key = c.metric and d.watched
      where c.ready
      offset 0
    ) w
    where (k.has_temp and k.full_temp and abs(k.temp * 29 - k.s_temp) >= 0.1999 * abs(k.s_temp)
        or k.has_hum and k.full_hum and abs(k.hum * 29 - k.s_hum) >= 0.1999 * abs(k.s_hum)
        or k.has_co2 and k.full_co2 and abs(k.co2 * 29 - k.s_co2) >= 0.1999 * abs(k.s_co2)
        or k.has_bat and k.full_bat and abs(k.bat * 29 - k.s_bat) >= 0.1999 * abs(k.s_bat))
      and w.pct is not null
  )
  select k.n, k.nums, k.mins, k.firsts,
    case when k.n < h.fresh then array(
      select h.i from held h
      where not h.redelivered and (h.device_num in (select kept.device_num from kept)) is not true) end,
    case when h.fresh + h.redelivered < p.serials then array(
      select p.i from parsed p
      where not exists (select from public.device_state s where s.serial = p.s)) end,
    case when p.n > p.serials or h.redelivered > 0 then array(
      select p.i from parsed p
      where (p.nth > 1 or p.redelivered) and exists (select from public.device_state s where s.serial = p.s)) end
  into accepted, device_nums, minutes, first_time, conflicts, unknown, rest
  from (
    select count(*)::int, array_agg(device_num), array_agg((extract(epoch from ts)::bigint / 60)::int),
      array_agg(device_num) filter (where not active)
    from kept
  ) as k (n, nums, mins, firsts), (
    select count(*) filter (where not redelivered), count(*) filter (where redelivered) from held
  ) as h (fresh, redelivered), (
    select count(*), count(*) filter (where nth = 1) from parsed
  ) as p (n, serials);
end
$$;
comment on function ec.ingest_distinct is 'Stores the first packet of every device in a batch; internal to ec.ingest_telemetry';
