-- A control shows as pending until its device confirms. For ten seconds after a change everything the device says
-- goes out at once, so that no confirmation waits behind the limit of two messages a second.

create or replace function ec.send_due_topics(topics text[]) returns void
language plpgsql set search_path = ''
as $$
declare
  at timestamptz := clock_timestamp();
  lease record;
  nums int[];
  overflow int[];
  message jsonb;
begin
  for lease in
    select l.topic, l.kind, l.device_num from ec.live_leases l
    where l.topic = any (topics) and l.expires_at > at
      and (l.last_sent_at is null or l.last_sent_at <= at - interval '500 milliseconds' or l.kind = 'device' and exists (
        select from public.devices d where d.num = l.device_num and d.desired_at > at - interval '10 seconds'))
      and exists (select from ec.live_pending p where p.topic = l.topic)
    order by l.topic
    for update skip locked
  loop
    with taken as (
      delete from ec.live_pending p where p.topic = lease.topic returning p.device_num
    )
    select array_agg(distinct t.device_num) into nums from taken t;
    continue when nums is null;

    -- One message stays small enough for every broker of broadcasts; the rest goes with the next one.
    overflow := nums[501:];
    if overflow <> '{}' then
      insert into ec.live_pending (topic, device_num) select lease.topic, n from unnest(overflow) n;
      nums := nums[:500];
    end if;

    if lease.kind = 'device' then
      select jsonb_build_object('serial', s.serial, 'ts', ec.iso_time(coalesce(s.reported_at, s.last_seen)),
        'data', s.reported - array(select jsonb_object_keys(s.older)), 'reported', s.reported, 'older', s.older,
        'reported_version', s.reported_version, 'last_seen', ec.iso_time(s.last_seen), 'connected', s.connected,
        'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), at))
      into message
      from public.device_state s
      join public.devices d on d.id = s.device_id
      join public.product_types t on t.key = s.product_type
      where s.device_num = lease.device_num;
      perform realtime.send(message, 'telemetry', lease.topic, true);
    else
      select jsonb_build_object('devices', jsonb_agg(jsonb_build_object('serial', s.serial,
        'ts', ec.iso_time(coalesce(s.reported_at, s.last_seen)), 'last_seen', ec.iso_time(s.last_seen), 'connected', s.connected,
        'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), at), 'values', s.reported)))
      into message
      from public.device_state s
      join public.devices d on d.id = s.device_id
      join public.product_types t on t.key = s.product_type
      where s.device_num = any (nums);
      perform realtime.send(message, 'fleet', lease.topic, true);
    end if;
    update ec.live_leases l set last_sent_at = at where l.topic = lease.topic;
  end loop;
end
$$;
