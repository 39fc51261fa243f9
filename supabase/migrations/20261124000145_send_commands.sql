-- Commands wait in their table until the device is there. Locks are taken in one order everywhere: device, its
-- state, its commands; messages in the outbox are never waited for.

create function private.resend_after(sends int) returns interval
language sql immutable
set search_path = ''
as $$ select make_interval(secs => 30 * 2 ^ least(sends - 1, 7)) $$;
comment on function private.resend_after(int) is '30 s after the first time, then twice as long each time';

-- Called for devices that have just shown a sign of life over MQTT; the caller holds the locks of their states.
create function ec.deliver_commands(device_nums int[]) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  command public.device_commands;
  message bigint;
begin
  for command in
    select c.* from public.device_commands c
    where c.device_num = any (device_nums) and c.state in ('queued', 'sent') and c.outbox_id is null
      and c.expires_at > clock_timestamp()
      -- A restart that is not confirmed may have happened all the same.
      and (c.state = 'queued' or c.type <> 'reboot' and c.sent_at < clock_timestamp() - private.resend_after(c.sends))
    order by c.created_at, c.id
    for update skip locked
  loop
    message := private.enqueue_mqtt(command.serial, 'cmd',
      private.compact_json(private.command_message(command)), false, command.expires_at);
    update ec.mqtt_outbox o set command_id = command.id where o.id = message;
    update public.device_commands c set outbox_id = message where c.id = command.id;
  end loop;
  update public.device_state s set pending = false
  where s.device_num = any (device_nums) and s.pending and not exists (
    select from public.device_commands c
    where c.device_num = s.device_num and c.state in ('queued', 'sent') and c.expires_at > clock_timestamp()
  );
end
$$;
comment on function ec.deliver_commands(int[]) is 'Hands what is due to the outbox, and clears the mark of devices nothing waits for';

create function ec.send_command(
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
  returning s.connected or s.last_door = 'mqtt' and ec.device_status(
    s.last_seen, coalesce(device.online_window_s, t.online_window_s), clock_timestamp()) = 'online'
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

create function ec.cancel_command(serial text, id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  command public.device_commands;
begin
  device := private.lock_device(cancel_command.serial, 'control');
  select c.* into command from public.device_commands c
  where c.id = cancel_command.id and c.device_id = device.id and c.org_id = device.org_id for update;
  if command.id is null then
    perform private.refuse_missing();
  elsif command.state <> 'queued' or command.outbox_id is not null
    and not exists (select from private.withdraw_messages(array[command.outbox_id])) then
    perform private.refuse('EC409', 'conflict', 'This command has been sent or has ended.', jsonb_build_object('state', command.state));
  end if;
  update public.device_commands c set state = 'failed', reason = 'cancelled', outbox_id = null
  where c.id = command.id
  returning c.* into command;
  perform private.write_audit('command_cancelled', 'device', device.serial, device.org_id, null,
    jsonb_build_object('id', command.id, 'type', command.type));
  perform private.show_commands(array[command.id]);
  return private.command_json(command);
end
$$;
comment on function ec.cancel_command(text, uuid) is
  'Takes back a command nobody sent yet → the command. EC403, EC404, EC409 conflict {state}';

grant execute on function ec.send_command(text, text, jsonb, int), ec.cancel_command(text, uuid) to authenticated;
