-- Ingest also tells who runs another version than last time, and who has started anew. It compares what it has at hand;
-- everything else happens to those few devices alone.

-- A pause in which the device's uptime grew by less than the pause: it started in between. A minute is left to clocks.
create function ec.has_restarted(packet jsonb, ts timestamptz, before jsonb, before_at timestamptz) returns bool
language sql immutable parallel safe
set search_path = ''
as $$
  select case when jsonb_typeof(packet -> 'uptime') = 'number' and jsonb_typeof(before -> 'uptime') = 'number'
    then coalesce((packet ->> 'uptime')::numeric - (before ->> 'uptime')::numeric + 60 < extract(epoch from ts - before_at), false)
    else false end
$$;

create function ec.boot_of(num int, ts timestamptz, packet jsonb, former_uptime jsonb) returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
  select jsonb_build_object('num', num, 'at', ec.iso_time(ts),
    'uptime', case when jsonb_typeof(packet -> 'uptime') = 'number' then packet -> 'uptime' end,
    'reason', packet ->> 'reboot_reason', 'fw_version', coalesce(packet ->> 'fw_version', packet ->> 'fw'),
    'previous_uptime', case when jsonb_typeof(former_uptime) = 'number' then former_uptime end)
$$;
comment on function ec.boot_of is 'As private.note_boots takes it';

-- As before, and
--   versions    devices whose packet names another firmware version than the last one that was noted
--   boots       starts of devices, as private.note_boots takes them
drop function ec.ingest_distinct(jsonb, text, bool);
create function ec.ingest_distinct(
  items jsonb, door text, careful bool,
  out accepted int, out conflicts int[], out unknown int[], out rest int[],
  out device_nums int[], out minutes int[], out first_time int[], out waiting int[],
  out versions int[], out boots jsonb
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
      f.newest and coalesce(p.d ->> 'fw_version', p.d ->> 'fw') <> coalesce(s.fw_version, '') as other_version,
      -- Less uptime than before, or than the pause since then; without an uptime, the first packet of a session.
      case when not f.newest then false
        when p.d ? 'uptime' then p.d -> 'uptime' < s.reported -> 'uptime' and jsonb_typeof(p.d -> 'uptime') = 'number'
            and jsonb_typeof(s.reported -> 'uptime') = 'number'
          or p.ts > s.reported_at + interval '1 minute'
          and ec.has_restarted(p.d, p.ts, s.reported, s.reported_at)
        else p.d ? 'reboot_reason' and s.connected_changed_at > s.last_telemetry_at
      end as booted, s.reported -> 'uptime' as former_uptime,
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
    case when h.other_version > 0 then (select array_agg(x.device_num) from held x where x.other_version) end,
    case when h.booted > 0 then (select jsonb_agg(ec.boot_of(x.device_num, x.ts, x.d, x.former_uptime)) from held x where x.booted
      and (x.device_num in (select stored.device_num from stored)) is true) end,
    case when k.n < h.fresh then array(select x.i from held x
      where not x.redelivered and (x.device_num in (select stored.device_num from stored)) is not true) end,
    case when h.fresh + h.redelivered < p.serials then array(select x.i from parsed x
      where not exists (select from public.device_state s where s.serial = x.s)) end,
    case when p.n > p.serials or h.redelivered > 0 then array(select x.i from parsed x
      where (x.nth > 1 or x.redelivered) and exists (select from public.device_state s where s.serial = x.s)) end
  into accepted, device_nums, minutes, first_time, waiting, versions, boots, conflicts, unknown, rest
  from (
    select count(*)::int, array_agg(device_num), array_agg(floor(extract(epoch from ts)::float8 / 60)::int) from stored
  ) as k (n, nums, mins), (
    select count(*) filter (where not redelivered), count(*) filter (where redelivered), count(*) filter (where active),
      count(*) filter (where pending), count(*) filter (where other_version), count(*) filter (where booted)
    from held
  ) as h (fresh, redelivered, actives, pending, other_version, booted), (
    select count(*), count(*) filter (where nth = 1) from parsed
  ) as p (n, serials);
end
$$;
comment on function ec.ingest_distinct is 'Stores the first packet of every device in a batch; internal to ec.ingest_telemetry';

drop function ec.ingest_runs(jsonb, text);
create function ec.ingest_runs(
  items jsonb, door text,
  out accepted int, out conflicts int[], out collided int[],
  out device_nums int[], out minutes int[], out first_time int[], out versions int[], out boots jsonb
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
      s.device_num, s.reported_at, s.fw_version, p.ts >= s.tenure_started_at as in_tenure,
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
  ), booted as (
    select a.device_num, a.i, a.ts, a.d, f.before -> 'uptime' as former_uptime
    from (
      select n.device_num, n.i, n.ts, n.d, lag(n.d) over packets as before, lag(n.ts) over packets as before_at
      from accepted_items n where n.newest and n.d ? 'uptime'
      window packets as (partition by n.device_num order by n.i)
    ) a
    left join public.device_state s on a.before is null and s.device_num = a.device_num
    cross join lateral (select coalesce(a.before, s.reported) as before, coalesce(a.before_at, s.reported_at) as before_at) f
    where a.d -> 'uptime' < f.before -> 'uptime' and jsonb_typeof(a.d -> 'uptime') = 'number' and jsonb_typeof(f.before -> 'uptime') = 'number'
      or ec.has_restarted(a.d, a.ts, f.before, f.before_at)
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
    (select array_agg(distinct a.device_num) from accepted_items a
      where a.newest and coalesce(a.d ->> 'fw_version', a.d ->> 'fw') <> coalesce(a.fw_version, '')),
    (select jsonb_agg(ec.boot_of(b.device_num, b.ts, b.d, b.former_uptime) order by b.i) from booted b),
    array(select p.i from parsed p
      where (p.nth = 1 or not p.timeless) and (p.i in (select a.i from accepted_items a)) is not true),
    array(select p.i from parsed p where p.nth > 1 and p.timeless)
  into accepted, device_nums, minutes, first_time, versions, boots, conflicts, collided
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
  versions int[];
  boots jsonb;
begin
  select * into fast from ec.ingest_distinct(items, door, careful);
  accepted := fast.accepted; nums := fast.device_nums; mins := fast.minutes; firsts := fast.first_time;
  -- The first call has met every device of the batch.
  waiting := fast.waiting; versions := fast.versions; boots := fast.boots;
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
      versions := versions || fast.versions; boots := coalesce(boots || fast.boots, boots, fast.boots);
    else
      turn := todo;
      select * into slow from ec.ingest_runs(turn, door);
      accepted := accepted + slow.accepted; nums := nums || slow.device_nums; mins := mins || slow.minutes; firsts := firsts || slow.first_time;
      versions := versions || slow.versions; boots := coalesce(boots || slow.boots, boots, slow.boots);
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

  if boots is not null then perform private.note_boots(boots); end if;
  -- Who is awaited may have to say which version it runs more than once.
  versions := versions || waiting;
  if versions is not null then perform private.note_versions(versions, false); end if;
  if waiting is not null and door = 'mqtt' then perform ec.deliver_commands(waiting); end if;

  return jsonb_build_object(
    'accepted', accepted, 'duplicate', cardinality(duplicates), 'rejected', cardinality(unknown),
    'duplicates', to_jsonb(array(select unnest(duplicates) order by 1)),
    'rejects', (select coalesce(jsonb_agg(jsonb_build_object('i', i, 'reason', 'unknown_device') order by i), '[]') from unnest(unknown) i))
    || case when waiting is null or door = 'mqtt' then '{}' else jsonb_build_object('waiting', to_jsonb(waiting)) end;
end
$$;
