-- A device that said goodbye is not there, however short ago that was: a command for it waits, and is not sent into
-- nothing. One that never says anything about itself counts as there while it was seen within its window.

alter table public.device_state add column announces bool not null default false;
comment on column public.device_state.announces is
  'It has sent a status message before, so that `connected` can be believed however long it is silent';

-- A birth begins a session: what was sent and not answered may have gone to the one before. The device knows the ids,
-- so it acts once; an update it was cut off from begins with a fresh address. A restart is never sent twice: it may be why the session is new.
create function private.resend_commands(device_nums int[]) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  command public.device_commands;
  message bigint;
begin
  for command in
    select c.* from public.device_commands c
    where c.device_num = any (device_nums) and c.state = 'sent' and c.sent_door = 'mqtt' and c.outbox_id is null
      and c.type <> 'reboot' and c.expires_at > clock_timestamp()
    order by c.created_at, c.id
    for update skip locked
  loop
    message := private.enqueue_mqtt(command.serial, 'cmd',
      private.compact_json(private.command_message(command)), false, command.expires_at);
    update ec.mqtt_outbox o set command_id = command.id where o.id = message;
    update public.device_commands c set outbox_id = message where c.id = command.id;
  end loop;
end
$$;

create or replace function ec.record_status(items json) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  rounds int;
  changed int[] := '{}';
  flipped int[];
  present int[];
  waiting int[] := '{}';
begin
  perform from public.device_state s
    where s.serial in (select p.s from json_to_recordset(items) as p (s text)) order by s.device_num for no key update;

  -- Several messages of one device take turns: each is judged by what the one before it left.
  select max(n) into rounds from (
    select count(*) as n from json_to_recordset(items) as p (s text) group by p.s) x;
  for turn in 1 .. coalesce(rounds, 0) loop
    with arrived as (
      select p.s, p.online, to_timestamp(p.r::float8 / 1e6) as at, row_number() over (partition by p.s order by p.o) as n
      from rows from (json_to_recordset(items) as (s text, online bool, r bigint)) with ordinality as p (s, online, r, o)
    ), judged as (
      select s.device_num, a.online, a.at, s.connected <> a.online
        and a.at >= coalesce(s.connected_changed_at, a.at)
        and (a.online or a.at >= coalesce(case when s.last_door = 'mqtt' then s.last_seen end, a.at)) as flips
      from arrived a join public.device_state s on s.serial = a.s
      where a.n = turn
    ), written as (
      update public.device_state s set
        connected = case when j.flips then j.online else s.connected end,
        connected_changed_at = case when j.flips then j.at else s.connected_changed_at end,
        last_seen = case when j.online then greatest(s.last_seen, j.at) else s.last_seen end,
        last_door = case when j.online then 'mqtt' else s.last_door end,
        announces = true
      from judged j
      where s.device_num = j.device_num and (j.flips or j.online or not s.announces)
      returning s.device_num, j.flips, j.online and s.pending as waits
    )
    select coalesce(array_agg(w.device_num) filter (where w.flips), '{}'), array_agg(w.device_num) filter (where w.waits)
    into flipped, present from written w;
    changed := changed || flipped;
    waiting := waiting || present;
  end loop;

  if waiting <> '{}' then
    perform private.resend_commands(waiting);
    perform private.resend_ota(waiting);
    perform ec.deliver_commands(waiting);
  end if;
  if changed <> '{}' and exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
    perform ec.broadcast_presence(array(select distinct unnest(changed)));
  end if;
end
$$;

create or replace function ec.send_command(
  serial text, type text, payload jsonb default null, expires_s int default 3600
) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  max_open constant int := 100;
  device public.devices;
  command public.device_commands;
  is_there bool;
begin
  if type is null or type !~ '^[a-z][a-z0-9_]{0,39}$' then
    perform private.refuse('EC400', 'invalid_request', 'A type has up to 40 lower case letters, digits and "_".');
  elsif expires_s is null or expires_s not between 5 and 604800 then
    perform private.refuse('EC400', 'invalid_request', 'expires_s is a number of seconds from 5 to 604800.');
  elsif octet_length(private.compact_json(payload)) > 4096 then
    perform private.refuse('EC413', 'too_large', 'A payload has at most 4 KB.', '{"max_bytes": 4096}');
  end if;
  device := private.lock_device(send_command.serial, 'control');
  if device.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  elsif (
    select count(*) from public.device_commands c where c.device_num = device.num and c.state in ('queued', 'sent')
  ) >= max_open then
    perform private.refuse('EC409', 'conflict', format('%s commands wait for this device already.', max_open));
  end if;

  insert into public.device_commands
    (device_id, device_num, serial, org_id, tenure_id, type, payload, expires_at, created_by_kind, created_by_id, created_by_label)
  values (device.id, device.num, device.serial, device.org_id, device.tenure_id, send_command.type,
    nullif(send_command.payload, 'null'), clock_timestamp() + make_interval(secs => expires_s),
    coalesce(private.actor_kind(), 'system'), private.actor_id(), private.actor_label())
  returning * into command;
  perform private.write_audit('command_sent', 'device', device.serial, device.org_id, null,
    jsonb_strip_nulls(jsonb_build_object('id', command.id, 'type', command.type, 'payload', command.payload)));

  update public.device_state s set pending = true
  from public.product_types t
  where s.device_num = device.num and t.key = s.product_type
  returning s.connected and (s.announces or ec.device_status(
    s.last_seen, coalesce(device.online_window_s, t.online_window_s), clock_timestamp()) = 'online')
  into is_there;
  if is_there then
    perform ec.deliver_commands(array[device.num]);
  end if;
  perform private.show_commands(array[command.id]);
  return private.command_json(command);
end
$$;
comment on function ec.send_command(text, text, jsonb, int) is
  'Queues a command, and sends it when the device is there → the command. EC400, EC403, EC404, EC409 conflict (retired, 100 open), EC413';
