-- What devices say about an update, over either door. States move forward only, so a message that comes twice, late or
-- in another order changes nothing.

create function private.note_ota_status(
  execution public.ota_job_devices, state text, percent numeric, reason text, retry_s numeric
) returns bool
language plpgsql security definer
set search_path = ''
as $$
declare
  at timestamptz := clock_timestamp();
  order_of constant jsonb := '{"queued": 0, "sent": 1, "downloading": 2, "installing": 3, "rebooting": 4}';
  former int := case when execution.state = note_ota_status.state then execution.percent end;
  now_percent int := case when state not in ('downloading', 'installing') then null when percent is null then former
    else greatest(least(round(percent), 100), coalesce(former, 0)) end;
  words text := left(nullif(btrim(reason), ''), 400);
begin
  if state = 'rolled_back' and execution.state = 'rolled_back' and execution.reason like 'It runs % again.' and words is not null then
    -- Its packets were faster than its word, which says more.
    update public.ota_job_devices e set reason = words where e.id = execution.id;
    perform private.log_ota(array[execution.id]);
    perform private.show_ota(array[execution.id]);
    return true;
  elsif not private.is_open(execution.state) then
    return false;
  elsif state in ('failed', 'rejected', 'rolled_back') then
    perform private.end_ota(array[execution.id], state, coalesce(words, 'The device gave no reason.'));
    return true;
  elsif state = 'deferred' and words = 'url_expired' then
    if execution.state not in ('sent', 'downloading', 'installing') or private.is_on_its_way(execution.outbox_id) then
      return false;
    end if;
    perform private.log_ota(array[execution.id], 'url_refreshed');
    perform private.send_ota(array[execution.id]);
    return true;
  elsif state = 'deferred' then
    if execution.state = 'rebooting' then
      return false;
    end if;
    perform private.withdraw_messages(array[execution.outbox_id]);
    update public.ota_job_devices e set
      state = 'queued', percent = null, reason = 'deferred: ' || coalesce(words, 'no reason given'), outbox_id = null,
      not_before = at + make_interval(secs => least(greatest(coalesce(retry_s, 900), 1), 86400)::float8),
      changed_at = at, timeout_at = null
    where e.id = execution.id;
    perform private.log_ota(array[execution.id], 'deferred');
    perform private.show_ota(array[execution.id]);
    perform pg_notify('ec_ota', '');
    return true;
  elsif (order_of ->> state)::int < (order_of ->> execution.state)::int
    or (state, now_percent) is not distinct from (execution.state, execution.percent)
    or state = execution.state and now_percent is null then
    return false;
  end if;

  update public.ota_job_devices e set
    state = note_ota_status.state, percent = now_percent, reason = null, not_before = null, changed_at = at,
    timeout_at = at + make_interval(secs => (select j.timeout_s from public.ota_jobs j where j.id = e.job_id))
  where e.id = execution.id;
  if state <> execution.state or now_percent / 25 > coalesce(execution.percent, 0) / 25 then
    perform private.log_ota(array[execution.id]);
  end if;
  perform private.show_ota(array[execution.id]);
  return true;
end
$$;
comment on function private.note_ota_status is
  'state downloading, installing, rebooting, deferred, failed, rejected or rolled_back; the caller holds the execution. True when it changed';

create function private.is_ota_word(state text) returns bool
language sql immutable
set search_path = ''
as $$ select state in ('downloading', 'installing', 'rebooting', 'deferred', 'failed', 'rejected', 'rolled_back') $$;

-- items: [{"s": serial, "j": job id as the device sent it, "a": attempt?, "state", "percent"?, "reason"?, "retry_s"?, "r": arrival in µs}]
create function ec.record_ota_status(items json) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  waiting int[];
  item record;
  execution public.ota_job_devices;
  changed int := 0;
begin
  select ec.note_signs(array_agg(p.s), array_agg(to_timestamp(p.r::float8 / 1e6))) into waiting
  from json_to_recordset(items) as p (s text, r bigint);
  perform from public.ota_job_devices e
  where e.id = any (array(
    select x.id
    from json_to_recordset(items) as p (s text, j text)
    join public.devices d on d.serial = p.s
    join public.ota_job_devices x on x.device_id = d.id and x.org_id = d.org_id and x.job_id::text = lower(p.j)
  ))
  order by e.id for update;
  for item in
    select x.id, p.state, p.percent, p.reason, p.retry_s
    from rows from (json_to_recordset(items) as (s text, j text, a text, state text, percent numeric, reason text, retry_s numeric))
      with ordinality as p (s, j, a, state, percent, reason, retry_s, o)
    join public.devices d on d.serial = p.s
    join public.ota_job_devices x on x.device_id = d.id and x.org_id = d.org_id and x.job_id::text = lower(p.j)
    where private.is_ota_word(p.state) and (p.a is null or p.a = x.attempt::text)
    order by p.o
  loop
    select e.* into execution from public.ota_job_devices e where e.id = item.id;
    if private.note_ota_status(execution, item.state, item.percent, item.reason, item.retry_s) then
      changed := changed + 1;
    end if;
  end loop;
  if waiting is not null then
    perform ec.deliver_commands(waiting);
  end if;
  return changed;
end
$$;
comment on function ec.record_ota_status(json) is
  'Words from ota/status; unknown, foreign, late and repeated ones change nothing. Returns how many did';
grant execute on function ec.record_ota_status(json) to ec_bridge;

create function ec.report_ota_status(serial text, body jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices := private.require_own_device(serial);
  execution public.ota_job_devices;
  changed bool := false;
begin
  if (private.is_ota_word(body ->> 'state')) is not true
    or body ? 'percent' and jsonb_typeof(body -> 'percent') not in ('number', 'null')
    or body ? 'retry_s' and jsonb_typeof(body -> 'retry_s') not in ('number', 'null') then
    perform private.refuse('EC400', 'invalid_request',
      'state is one of downloading, installing, rebooting, deferred, failed, rejected, rolled_back; percent and retry_s are numbers.');
  end if;
  perform from public.device_state s where s.device_num = device.num for no key update;
  select e.* into execution from public.ota_job_devices e
  where e.device_id = device.id and e.org_id = device.org_id and e.job_id::text = lower(body ->> 'job_id') for update;
  if execution.id is null then
    perform private.refuse_missing();
  elsif body -> 'attempt' is null or body ->> 'attempt' = execution.attempt::text then
    changed := private.note_ota_status(execution, body ->> 'state', (body ->> 'percent')::numeric, body ->> 'reason',
      (body ->> 'retry_s')::numeric);
  end if;
  select e.* into execution from public.ota_job_devices e where e.id = execution.id;
  return jsonb_build_object('job_id', execution.job_id, 'attempt', execution.attempt, 'state', execution.state, 'changed', changed);
end
$$;
comment on function ec.report_ota_status(text, jsonb) is
  'The device itself: {job_id, attempt?, state, percent?, reason?, retry_s?} → {job_id, attempt, state, changed}. EC400, EC404';
grant execute on function ec.report_ota_status(text, jsonb) to authenticated;
