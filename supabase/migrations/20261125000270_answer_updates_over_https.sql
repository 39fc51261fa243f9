-- Devices that ask over HTTPS: an update that is due stands in the answer to GET commands, each time with a fresh link,
-- until it has ended or its device restarts into it.

create function private.hand_out_ota(device_num int) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  execution public.ota_job_devices;
begin
  select e.* into execution from public.ota_job_devices e
  where e.device_num = hand_out_ota.device_num and e.released and e.state in ('queued', 'sent', 'downloading', 'installing')
  for update;
  if execution.id is null or execution.state = 'sent'
    and exists (select from public.ota_jobs j where j.id = execution.job_id and j.state = 'aborted') then
    return '{}';
  elsif execution.state = 'queued' then
    -- On its way over MQTT as well: the device knows an attempt it has seen.
    if not private.is_on_its_way(execution.outbox_id) and private.due_ota(array[execution.id]) is null then
      return '{}';
    end if;
    update public.ota_job_devices e set sent_at = clock_timestamp(), sends = e.sends + 1 where e.id = execution.id;
    perform private.mark_ota_sent(array[execution.id]);
  end if;
  return (
    select jsonb_build_object('fw_url', m.message -> 'url', 'fw_version', m.message -> 'version') || (m.message - '{url,version}'::text[])
    from private.make_ota_messages(array[execution.id]) m
  );
end
$$;

create or replace function ec.take_restarts(device_nums int[]) returns int[]
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
  where s.device_num = any (device_nums) and s.pending and not private.is_awaited(s.device_num);
  return coalesce(restarts, '{}');
end
$$;

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
  return reply || jsonb_build_object('commands', coalesce(commands, '[]')) || private.hand_out_ota(device.num);
end
$$;
comment on function ec.read_device_commands(text) is
  'The device itself: {commands, desired, desired_version, and of an update fw_url, fw_version, job_id, attempt, size, sha256, signature, product_type}; hands out what waits. With reboot: true answer 205 and nothing else. EC404';
