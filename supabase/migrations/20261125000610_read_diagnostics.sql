-- What the diagnostics of a device are judged by, in one call and under the caller's row level security.

-- Packets by their numbers. A counter that falls far, jumps far, or that a restart lies before, has begun anew;
-- small steps back are packets that overtook each other, and the same number again is the same packet.
create function ec.count_packets(
  device_num int, starts timestamptz, boots timestamptz[],
  out expected bigint, out received bigint, out duplicates bigint, out counters bigint
)
language plpgsql stable set search_path = ''
set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  one_counter bool;
begin
  -- Most days have a single counter: that costs a third of the other way.
  select max(p.seq) - min(p.seq) + 1, count(distinct p.seq), count(*) - count(distinct p.seq), 1,
    coalesce(min(p.step), 0) >= -100 and coalesce(max(p.step), 0) <= 10000
  into expected, received, duplicates, counters, one_counter
  from (
    select t.seq, t.seq - lag(t.seq) over (order by t.ts) as step
    from public.telemetry t
    where t.device_num = count_packets.device_num and t.ts >= count_packets.starts and t.seq is not null
  ) p;
  if expected is null or one_counter and not exists (
    select from unnest(count_packets.boots) b where b >= count_packets.starts
  ) then
    return;
  end if;
  select sum(c.expected), sum(c.received), sum(c.n - c.received), count(*)
  into expected, received, duplicates, counters
  from (
    select max(s.seq) - min(s.seq) + 1 as expected, count(distinct s.seq) as received, count(*) as n
    from (
      select p.seq, p.boot, count(*) filter (where p.step < -100 or p.step > 10000) over (order by p.ts) as turn
      from (
        select t.ts, t.seq, width_bucket(t.ts + interval '1 second', count_packets.boots) as boot, t.seq - lag(t.seq) over (order by t.ts) as step
        from public.telemetry t
        where t.device_num = count_packets.device_num and t.ts >= count_packets.starts and t.seq is not null
      ) p
    ) s
    group by s.boot, s.turn
  ) c;
end
$$;
comment on function ec.count_packets is 'Nulls when no packet has a number; counters = how often the numbering began anew, and once';

-- {ms, packets}: how far the device's clock is behind (positive) or ahead, from the packets that carry a time of their
-- own. One that waited in the device or on the way looks late, never early: of those that arrived within the same ten
-- seconds the least late one counts, and of all of these a low quantile.
create function ec.clock_skew(device_num int, starts timestamptz) returns jsonb
language sql stable set search_path = ''
set enable_seqscan = off set jit = off
as $$
  select case when count(*) >= 3 then jsonb_build_object('packets', sum(m.n), 'ms',
    round((percentile_disc(0.1) within group (order by m.late) * 1000)::numeric)) end
  from (
    select count(*) as n, min(extract(epoch from n.received_at - n.ts)) as late
    from (
      select t.ts, t.received_at from public.telemetry t
      where t.device_num = clock_skew.device_num and t.ts >= clock_skew.starts order by t.ts desc limit 200
    ) n
    -- What carries no time is stored with its arrival in microseconds.
    where n.received_at <> n.ts and date_trunc('milliseconds', n.ts) = n.ts
    group by date_bin('10 seconds', n.received_at, 'epoch')
  ) m
$$;

-- [[t ms, lat, lon], …]: the mean place of each minute, of each five when it is more than a day.
create function ec.read_track(device_num int, hours int) returns json
language sql stable set search_path = ''
set enable_seqscan = off set jit = off
as $$
  select concat('[', string_agg(concat('[', extract(epoch from p.bucket)::bigint, '000,',
    round(p.lat * 1e6) / 1e6, ',', round(p.lon * 1e6) / 1e6, ']'), ',' order by p.bucket), ']')::json
  from (
    select r.bucket, r.sums[r.lat] / r.counts[r.lat] as lat, r.sums[r.lon] / r.counts[r.lon] as lon
    from (
      select m.bucket, m.sums, m.counts, array_position(m.keys, 'lat') as lat, array_position(m.keys, 'lon') as lon
      from public.rollups_1m m
      where m.device_num = read_track.device_num and m.bucket >= now() - make_interval(hours => read_track.hours) and read_track.hours <= 24
      union all
      select v.bucket, v.sums, v.counts, array_position(v.keys, 'lat'), array_position(v.keys, 'lon')
      from public.rollups_5m v
      where v.device_num = read_track.device_num and v.bucket >= now() - make_interval(hours => read_track.hours) and read_track.hours > 24
      -- Each place is looked up once.
      offset 0
    ) r
    offset 0
  ) p
  where p.lat between -90 and 90 and p.lon between -180 and 180
$$;

-- {serial, fw_version, now, reported, reported_at, older, last_seen, connected, online_window_s, interval_s, health,
--  series (of bat, heap and signal, as ec.telemetry_buckets), battery [[t ms, min, mean, max] by the hour, a week],
--  boots [{at, reason, fw_version, previous_uptime_s}] newest first, 30 days, packets {hours, expected, received,
--  duplicates, counters}|null, skew {ms, packets}|null, track}. Packets are counted over a day at most. EC404.
create function ec.read_diagnostics(serial text, hours int default 24) returns json
language plpgsql stable set search_path = '' set jit = off set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  device record;
  boots json;
  starts timestamptz[];
  counted_h int := least(read_diagnostics.hours, 24);
  packets record;
  battery json;
begin
  select d.num, d.fw_version, t.health, t.telemetry_interval_s, s.reported, s.reported_at, s.older, s.last_seen, s.connected,
    s.tenure_id, coalesce(d.online_window_s, t.online_window_s) as online_window_s
  into device
  from public.devices d
  join public.product_types t on t.key = d.product_type
  join public.device_state s on s.device_num = d.num
  where d.serial = read_diagnostics.serial;
  if device.num is null then
    raise exception using errcode = 'EC404', message = 'not_found', detail = 'There is no such device, or you may not see it.';
  end if;

  select coalesce(json_agg(json_build_object('at', ec.iso_time(b.booted_at), 'reason', b.reason, 'fw_version', b.fw_version,
      'previous_uptime_s', b.previous_uptime_s) order by b.booted_at desc), '[]'),
    coalesce(array_agg(b.booted_at order by b.booted_at), '{}')
  into boots, starts
  from (
    select r.booted_at, r.reason, r.fw_version, r.previous_uptime_s from public.device_reboots r
    where r.device_num = device.num and r.booted_at >= now() - interval '30 days'
    order by r.booted_at desc limit 200
  ) b;

  select * into packets from ec.count_packets(device.num, now() - make_interval(hours => counted_h), starts);

  select coalesce(json_agg(json_build_array(extract(epoch from h.bucket)::bigint * 1000, h.mins[a.i], h.sums[a.i] / h.counts[a.i], h.maxs[a.i])
    order by h.bucket), '[]')
  into battery
  from public.rollups_1h h cross join lateral (select array_position(h.keys, 'bat') as i) a
  where h.device_num = device.num and h.bucket >= now() - interval '7 days' and a.i is not null;

  return json_build_object('serial', read_diagnostics.serial, 'fw_version', device.fw_version, 'now', ec.iso_time(now()),
    'reported', device.reported, 'reported_at', ec.iso_time(device.reported_at), 'older', device.older,
    'last_seen', ec.iso_time(device.last_seen), 'connected', device.connected,
    'online_window_s', device.online_window_s, 'interval_s', device.telemetry_interval_s, 'health', device.health,
    'series', ec.telemetry_buckets(read_diagnostics.serial, read_diagnostics.hours, array['bat', 'heap', 'signal']),
    'battery', battery, 'boots', boots,
    'packets', case when packets.expected is not null then json_build_object('hours', counted_h, 'expected', packets.expected,
      'received', packets.received, 'duplicates', packets.duplicates, 'counters', packets.counters) end,
    'skew', ec.clock_skew(device.num, now() - interval '1 day'),
    'track', case when device.reported ?| array['lat', 'gps_fix'] then ec.read_track(device.num, read_diagnostics.hours) else '[]' end);
end
$$;
comment on function ec.read_diagnostics(text, int) is 'Facts about a device''s health; what they mean is judged by its product type''s thresholds. EC404';

grant execute on function ec.count_packets, ec.clock_skew, ec.read_track, ec.read_diagnostics to authenticated;
