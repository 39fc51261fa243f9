-- Devices without a broker session: commands are handed out when asked for, a restart is asked for with the answer
-- to whatever they send (205, empty), once.

-- The caller holds the locks of the devices' states. Which of them are to restart now; a restart that was asked for
-- in an earlier answer counts as done, the device is back.
create function ec.take_restarts(device_nums int[]) returns int[]
language plpgsql security definer
set search_path = ''
as $$
declare
  restarts int[];
  changed uuid[];
begin
  perform from public.device_commands c
  where c.device_num = any (device_nums) and c.type = 'reboot' and c.state in ('queued', 'sent') order by c.id for update;
  with taken as (
    update public.device_commands c set
      state = case when c.state = 'sent' then 'acknowledged' else 'sent' end,
      acknowledged_at = case when c.state = 'sent' then clock_timestamp() end,
      sent_at = case when c.state = 'sent' then c.sent_at else clock_timestamp() end,
      sent_door = 'https', sends = 1
    where c.device_num = any (device_nums) and c.type = 'reboot' and c.expires_at > clock_timestamp()
      and (c.state = 'queued' and c.outbox_id is null or c.state = 'sent' and c.sent_door = 'https')
    returning c.id, c.device_num, c.state
  )
  select array_agg(distinct t.device_num) filter (where t.state = 'sent'), array_agg(t.id) into restarts, changed from taken t;
  if changed is not null then
    perform private.show_commands(changed);
  end if;
  update public.device_state s set pending = false
  where s.device_num = any (device_nums) and s.pending and not exists (
    select from public.device_commands c
    where c.device_num = s.device_num and c.state in ('queued', 'sent') and c.expires_at > clock_timestamp()
  );
  return coalesce(restarts, '{}');
end
$$;

create or replace function ec.ingest_device_requests(requests json) returns jsonb
language plpgsql security definer set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  admitted int[];
  credentials uuid[];
  packets json;
  refused json;
  owners int[];
  outcome jsonb;
  restarts int[];
begin
  select array_agg(r.i), array_agg(c.id) into admitted, credentials
  from json_to_recordset(requests) as r (i int, s text, h text)
  join public.device_credentials c on c.secret_sha256 = decode(r.h, 'hex') and c.serial = r.s
  join public.devices d on d.id = c.device_id
  where c.revoked_at is null and (c.expires_at is null or c.expires_at > clock_timestamp())
    and d.lifecycle <> 'retired';

  select json_agg(json_build_object('i', n - 1, 's', x.s, 'd', x.d, 'r', x.r, 't', x.t, 'q', x.q) order by n), array_agg(x.i order by n)
  into packets, owners
  from (
    select r.i, r.s, p.d, p.r, p.t, p.q, row_number() over (order by r.i, p.o) as n
    from json_to_recordset(requests) as r (i int, s text, p json)
    cross join lateral rows from (json_to_recordset(r.p) as (d json, r bigint, t bigint, q bigint))
      with ordinality as p (d, r, t, q, o)
    where (r.i in (select unnest(admitted))) is true
  ) x;
  outcome := ec.ingest_telemetry(coalesce(packets, '[]'), 'https');
  -- Of several requests of one device the first one says it.
  if outcome ? 'waiting' then
    restarts := ec.take_restarts(array(select n::int from jsonb_array_elements_text(outcome -> 'waiting') n));
    restarts := array(
      select min(r.i)
      from json_to_recordset(requests) as r (i int, s text) join public.device_state s on s.serial = r.s
      where r.i = any (owners) and s.device_num = any (restarts)
      group by r.s);
  end if;

  select json_agg(json_build_object('s', r.s, 'door', 'https', 'reason', letter ->> 'reason', 'detail', letter ->> 'detail',
    'payload', letter ->> 'payload', 'bytes', letter -> 'bytes', 'r', letter -> 'r'))
  into refused
  from json_to_recordset(requests) as r (i int, s text, x json)
  cross join lateral json_array_elements(r.x) letter
  where (r.i in (select unnest(admitted))) is true;
  if refused is not null then perform ec.record_dead_letters(refused); end if;

  -- Coarsely: a row per request would cost more than the reading.
  update public.device_credentials c
  set first_used_at = coalesce(c.first_used_at, clock_timestamp()), last_used_at = clock_timestamp()
  where c.id in (
    select u.id from public.device_credentials u
    where u.id = any (credentials) and (u.last_used_at is null or u.last_used_at < clock_timestamp() - interval '5 minutes')
    order by u.id for no key update skip locked);

  return (
    select jsonb_agg(jsonb_build_object('i', r.i, 'ok', r.ok,
      'accepted', r.sent - r.duplicate - r.bad, 'duplicate', r.duplicate, 'rejected', r.bad + r.refused,
      'reboot', (r.i = any (restarts)) is true) order by r.o)
    from (
      select q.i, q.o, (q.i in (select unnest(admitted))) is true as ok,
        coalesce(c.sent, 0) as sent, coalesce(c.duplicate, 0) as duplicate, coalesce(c.bad, 0) as bad,
        case when (q.i in (select unnest(admitted))) is true then coalesce(json_array_length(q.x), 0) else 0 end as refused
      from rows from (json_to_recordset(requests) as (i int, x json)) with ordinality as q (i, x, o)
      left join (
        select w.i, count(*) as sent, count(*) filter (where w.n - 1 in (select d::int from jsonb_array_elements(outcome -> 'duplicates') d)) as duplicate,
          count(*) filter (where w.n - 1 in (select (d -> 'i')::int from jsonb_array_elements(outcome -> 'rejects') d)) as bad
        from unnest(owners) with ordinality as w (i, n)
        group by w.i
      ) c on c.i = q.i
    ) r);
end
$$;

-- packets and refused as in ec.ingest_device_requests. The device itself, or who may control it.
create or replace function ec.push_telemetry(serial text, packets json, refused json) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  result jsonb;
  restarts int[] := '{}';
begin
  if private.actor_kind() = 'device' then
    device := private.require_own_device(push_telemetry.serial);
  else
    select d.* into device from public.devices d where d.serial = push_telemetry.serial;
    perform private.require_org(device.org_id, 'control');
    if device.lifecycle = 'retired' then
      perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
    end if;
  end if;
  result := ec.ingest_telemetry((
    select coalesce(json_agg(json_build_object('i', p.i - 1, 's', device.serial, 'd', p.d, 'r', p.r, 't', p.t, 'q', p.q) order by p.i), '[]')
    from rows from (json_to_recordset(packets) as (d json, r bigint, t bigint, q bigint)) with ordinality as p (d, r, t, q, i)
  ), 'https');
  if result ? 'waiting' and private.actor_kind() = 'device' then
    restarts := ec.take_restarts(array[device.num]);
  end if;
  if json_array_length(refused) > 0 then
    perform ec.record_dead_letters((
      select json_agg(json_build_object('s', device.serial, 'door', 'https', 'reason', x ->> 'reason', 'detail', x ->> 'detail',
        'payload', x ->> 'payload', 'bytes', x -> 'bytes', 'r', x -> 'r'))
      from json_array_elements(refused) x
    ));
  end if;
  return jsonb_build_object('accepted', result -> 'accepted', 'duplicate', result -> 'duplicate',
    'rejected', (result ->> 'rejected')::int + json_array_length(refused),
    'reboot', restarts <> '{}');
end
$$;
comment on function ec.push_telemetry(text, json, json) is
  'The device itself, or action control: stores packets and refused ones → {accepted, duplicate, rejected, reboot}. EC403, EC404, EC409';

create or replace function ec.read_device_commands(serial text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices := private.require_own_device(serial);
  reply jsonb := jsonb_build_object('desired', device.desired, 'desired_version', device.desired_version);
  handed_out uuid[];
  commands jsonb;
begin
  perform from public.device_state s where s.device_num = device.num and s.pending for no key update;
  if not found then
    return reply || '{"commands": []}';
  elsif ec.take_restarts(array[device.num]) <> '{}' then
    return reply || '{"commands": [], "reboot": true}';
  end if;
  perform from public.device_commands c
  where c.device_num = device.num and c.state in ('queued', 'sent') order by c.id for update;
  -- Those on their way over MQTT as well: the device knows an id it has seen.
  select array_agg(c.id) filter (where c.state = 'queued' and c.outbox_id is null),
    jsonb_agg(private.command_message(c) order by c.created_at, c.id)
  into handed_out, commands
  from public.device_commands c
  where c.device_num = device.num and c.state in ('queued', 'sent') and c.type <> 'reboot' and c.expires_at > clock_timestamp();
  if handed_out is not null then
    update public.device_commands c set state = 'sent', sent_at = clock_timestamp(), sent_door = 'https', sends = c.sends + 1
    where c.id = any (handed_out);
    perform private.show_commands(handed_out);
  end if;
  return reply || jsonb_build_object('commands', coalesce(commands, '[]'));
end
$$;
comment on function ec.read_device_commands(text) is
  'The device itself: {commands, desired, desired_version}; hands out what waits. With reboot: true answer 205 and nothing else. EC404';
