-- From an execution to a message and back. Locks: a job, then a device, its state, its executions in the order of their
-- ids. Who holds states or executions waits for neither devices nor jobs: what is busy is skipped, and met again by the
-- next packet or the next round of ec.advance_ota_jobs().

create function private.api_url() returns text
language sql stable security definer
set search_path = ''
as $$
  select coalesce(
    rtrim(max(s.decrypted_secret) filter (where s.name = 'ec_api_url'), '/'),
    regexp_replace(max(s.decrypted_secret) filter (where s.name = 'ec_worker_url'), '/worker/*$', '/api'), '')
  from vault.decrypted_secrets s where s.name in ('ec_api_url', 'ec_worker_url')
$$;
comment on function private.api_url() is 'Where devices reach the API; empty where nobody set it: then links are paths';

-- {url, …} for each execution, with a fresh link good for an hour. Secrets of links are stored as hashes.
create function private.make_ota_messages(execution_ids bigint[]) returns table (execution_id bigint, serial text, message jsonb)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  address text := private.api_url();
begin
  return query
  with made as materialized (
    select e.id, e.serial, e.attempt, e.job_id, f.id as firmware_id, j.version, f.size, f.sha256, f.signature, j.product_type,
      translate(encode(extensions.gen_random_bytes(24), 'base64'), '+/', '-_') as token
    from public.ota_job_devices e
    join public.ota_jobs j on j.id = e.job_id
    join public.firmware f on f.id = j.firmware_id
    where e.id = any (execution_ids)
  ), linked as (
    insert into ec.firmware_links (token_sha256, firmware_id, job_device_id, expires_at)
    select sha256(convert_to(m.token, 'UTF8')), m.firmware_id, m.id, clock_timestamp() + interval '1 hour' from made m
  )
  select m.id, m.serial, jsonb_build_object('url', format('%s/firmware/files/%s', address, m.token), 'version', m.version,
    'job_id', m.job_id, 'attempt', m.attempt, 'size', m.size, 'sha256', m.sha256, 'signature', m.signature,
    'product_type', m.product_type)
  from made m order by m.id;
end
$$;

-- The caller holds the executions and has found them due. A message nobody could deliver in half an hour is made again:
-- its link would not live long enough.
create function private.send_ota(execution_ids bigint[]) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  with messages as (
    insert into ec.mqtt_outbox (serial, topic, payload, expires_at, ota_id)
    select m.serial, format('devices/%s/ota', m.serial), private.compact_json(m.message),
      clock_timestamp() + interval '30 minutes', m.execution_id
    from private.make_ota_messages(execution_ids) m
    returning id, ota_id
  )
  update public.ota_job_devices e set outbox_id = m.id from messages m where e.id = m.ota_id;
  if found then
    perform pg_notify('ec_mqtt_outbox', '');
  end if;
end
$$;

create function private.is_on_its_way(outbox_id bigint) returns bool
language sql stable security definer
set search_path = ''
as $$
  select exists (
    select from ec.mqtt_outbox o
    where o.id = is_on_its_way.outbox_id and o.sent_at is null and o.expires_at > clock_timestamp())
$$;
comment on function private.is_on_its_way(bigint) is 'The message waits for a bridge, or a bridge has it';

-- Of executions the caller holds: which are due for a message now. Those whose window is closed learn when it opens.
create function private.due_ota(execution_ids bigint[], reborn bool default false) returns bigint[]
language plpgsql security definer
set search_path = ''
as $$
declare
  at timestamptz := clock_timestamp();
  due bigint[];
begin
  update public.ota_job_devices e set not_before = private.window_opens(j.job_window, e.zone, at)
  from public.ota_jobs j
  where e.id = any (execution_ids) and e.state = 'queued' and (e.not_before <= at) is not false
    and j.id = e.job_id and j.job_window is not null and private.window_opens(j.job_window, e.zone, at) > at;
  select array_agg(e.id order by e.id) into due
  from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id
  where e.id = any (execution_ids) and e.released and not private.is_on_its_way(e.outbox_id)
    and case e.state
      when 'queued' then j.state = 'running' and (e.not_before <= at) is not false
      when 'sent' then j.state <> 'aborted' and (reborn or e.sent_at < at - private.resend_after(e.sends))
      else reborn and e.state in ('downloading', 'installing')
    end;
  return due;
end
$$;

-- Devices that have just shown a sign of life over MQTT; the caller holds their states.
create function private.deliver_ota(device_nums int[], reborn bool default false) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  held bigint[];
  due bigint[];
begin
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.device_num = any (device_nums) and e.released
      and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
    order by e.id for update
  ) x;
  if held is null then
    return;
  end if;
  -- A statement of its own: it sees what the last holder of the locks has done to the job.
  due := private.due_ota(held, reborn);
  if due is not null then
    perform private.log_ota(array(
      select e.id from public.ota_job_devices e where e.id = any (due) and e.state <> 'queued'), 'resent');
    perform private.send_ota(due);
  end if;
end
$$;

create function private.resend_ota(device_nums int[]) returns void
language sql security definer
set search_path = ''
as $$ select private.deliver_ota(device_nums, true) $$;
comment on function private.resend_ota(int[]) is
  'Devices whose session has just begun: what they were told before may never have reached them; the caller holds their states';

create function private.is_awaited(device_num int) returns bool
language sql stable security definer
set search_path = ''
as $$
  select exists (
    select from public.device_commands c
    where c.device_num = is_awaited.device_num and c.state in ('queued', 'sent') and c.expires_at > clock_timestamp()
  ) or exists (
    select from public.ota_job_devices e
    where e.device_num = is_awaited.device_num and e.released
      and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
  ) or exists (
    -- Its device row was busy when it named another version.
    select from public.device_state s
    where s.device_num = is_awaited.device_num and s.named_version <> coalesce(s.fw_version, '')
  )
$$;
comment on function private.is_awaited(int) is 'What device_state.pending says, looked up';

create or replace function ec.deliver_commands(device_nums int[]) returns void
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
  perform private.deliver_ota(device_nums);
  update public.device_state s set pending = false
  where s.device_num = any (device_nums) and s.pending and not private.is_awaited(s.device_num);
end
$$;
comment on function ec.deliver_commands(int[]) is
  'Hands what is due to the outbox, commands and updates, and clears the mark of devices nothing waits for';

create or replace function ec.finish_mqtt_outbox(ids bigint[]) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  commands uuid[];
  messages bigint[];
  executions bigint[];
  newly bigint[];
begin
  with done as (
    update ec.mqtt_outbox o set sent_at = clock_timestamp(), claimed_until = null
    where o.id = any (ids) and o.sent_at is null
    returning o.id, o.command_id, o.ota_id
  )
  select array_agg(d.command_id) filter (where d.command_id is not null), array_agg(d.id) filter (where d.ota_id is not null),
    array_agg(d.ota_id) filter (where d.ota_id is not null)
  into commands, messages, executions from done d;
  if commands is not null then
    perform from public.device_commands c where c.id = any (commands) order by c.id for update;
    -- The device may have answered before the broker did.
    update public.device_commands c set
      state = case when c.state = 'queued' then 'sent' else c.state end,
      sent_at = clock_timestamp(), sent_door = 'mqtt', sends = c.sends + 1, outbox_id = null
    where c.id = any (commands);
    perform private.show_commands(commands);
  end if;
  if executions is not null then
    perform from public.ota_job_devices e where e.id = any (executions) order by e.id for update;
    -- Another message may have taken its place; then this one says nothing any more.
    select array_agg(e.id) into newly from public.ota_job_devices e
    where e.id = any (executions) and e.outbox_id = any (messages) and e.state = 'queued';
    update public.ota_job_devices e set sent_at = clock_timestamp(), sends = e.sends + 1, outbox_id = null
    where e.id = any (executions) and e.outbox_id = any (messages);
    perform private.mark_ota_sent(newly);
  end if;
end
$$;

create function private.mark_ota_sent(execution_ids bigint[]) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if execution_ids is not null then
    update public.ota_job_devices e set
      state = 'sent', changed_at = clock_timestamp(), not_before = null, reason = null,
      timeout_at = clock_timestamp() + make_interval(secs => j.timeout_s)
    from public.ota_jobs j where e.id = any (execution_ids) and j.id = e.job_id;
    perform private.log_ota(execution_ids);
    perform private.show_ota(execution_ids);
  end if;
end
$$;

create or replace function private.end_commands(device_id uuid, reason text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  ended uuid[];
  messages bigint[];
begin
  perform from public.device_state s where s.device_id = end_commands.device_id and s.pending for no key update;
  with closed as (
    update public.device_commands c set state = 'failed', reason = end_commands.reason
    where c.device_id = end_commands.device_id and c.state in ('queued', 'sent')
    returning c.id, c.outbox_id
  )
  select array_agg(id), array_agg(outbox_id) into ended, messages from closed;
  if ended is not null then
    perform private.withdraw_messages(messages);
    perform private.show_commands(ended);
  end if;
  update public.device_state s set pending = false
  where s.device_id = end_commands.device_id and s.pending and not private.is_awaited(s.device_num);
end
$$;
