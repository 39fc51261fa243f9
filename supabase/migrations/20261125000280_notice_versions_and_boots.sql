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
      f.named, f.named <> coalesce(s.fw_version, '') as other_version,
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
        p.d ?& s.packet_keys and p.d - s.packet_keys = '{}' as same_keys,
        -- A version counts by its own time: a packet that is late as a reading may be the first to name it.
        case when p.d ?| '{fw_version,fw}' and p.ts >= s.tenure_started_at and (p.ts > s.named_version_at) is not false
          and jsonb_typeof(coalesce(p.d -> 'fw_version', p.d -> 'fw')) in ('string', 'number')
          then nullif(left(btrim(coalesce(p.d ->> 'fw_version', p.d ->> 'fw')), 64), '') end as named
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
      named_version = coalesce(h.named, s.named_version),
      named_version_at = case when h.named is null then s.named_version_at else h.ts end,
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
