-- Commands end with their time, and with whoever held the device.

create function ec.expire_commands(at timestamptz) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  ended uuid[];
  messages bigint[];
begin
  with due as (
    select c.id from public.device_commands c
    where c.state in ('queued', 'sent') and c.expires_at <= expire_commands.at order by c.id for update skip locked
  ), closed as (
    update public.device_commands c set
      state = 'expired', reason = case when c.sent_at is null then 'not_reached' else 'not_answered' end
    from due where c.id = due.id
    returning c.id, c.outbox_id
  )
  select array_agg(id), array_agg(outbox_id) into ended, messages from closed;
  if ended is not null then
    perform private.withdraw_messages(messages);
    perform private.show_commands(ended);
  end if;
  return coalesce(cardinality(ended), 0);
end
$$;
comment on function ec.expire_commands(timestamptz) is 'Cron: what nobody did in time is never done; returns how many';

-- forget: the shadow and the baselines belong to whoever leaves; desired, reported and retained messages go.
create or replace function private.start_tenure(device_id uuid, forget bool) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  new_tenure int;
  tenure_start timestamptz;
begin
  select d.* into strict device from public.devices d where d.id = start_tenure.device_id for no key update;
  update public.device_tenures t set ended_at = greatest(clock_timestamp(), t.started_at)
  where t.device_id = device.id and t.ended_at is null;
  insert into public.device_tenures (device_id, device_num, org_id, location_id, customer_id)
  values (device.id, device.num, device.org_id, device.location_id, device.customer_id)
  returning id, started_at into new_tenure, tenure_start;

  update public.devices d set
    tenure_id = new_tenure,
    desired = case when forget then '{}' else d.desired end,
    desired_version = d.desired_version + case when forget and d.desired <> '{}' then 1 else 0 end
  where d.id = device.id;

  insert into public.device_state as s
    (device_num, device_id, serial, org_num, tenure_id, product_type)
  select device.num, device.id, device.serial, o.num, new_tenure, device.product_type
  from public.orgs o where o.id = device.org_id
  on conflict (device_num) do update set
    org_num = excluded.org_num, tenure_id = excluded.tenure_id, tenure_started_at = tenure_start;

  if forget then
    update public.device_state s set
      reported = '{}', reported_at = null, older = '{}', reported_version = s.reported_version + 1,
      w_temp = '{}', w_hum = '{}', w_co2 = '{}', w_bat = '{}', s_temp = 0, s_hum = 0, s_co2 = 0, s_bat = 0
    where s.device_num = device.num;
    perform private.end_commands(device.id, 'handed_over');
    perform private.clear_retained(device.serial);
  end if;
  return new_tenure;
end
$$;

create or replace function ec.retire_device(serial text, force bool default false) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  untouched bool;
begin
  device := private.lock_device(retire_device.serial, 'provision');
  if device.lifecycle = 'retired' then
    return jsonb_build_object('deleted', false);
  end if;
  if device.lifecycle = 'active' and not force then
    perform private.refuse('EC409', 'conflict', 'This device is active. Retire it with force=true.');
  end if;
  perform private.end_commands(device.id, 'retired');
  perform private.clear_retained(device.serial);
  perform pg_notify('ec_credentials', device.serial);
  untouched := device.activated_at is null and device.claimed_at is null
    and not exists (
      select from public.device_credentials c where c.device_id = device.id and c.first_used_at is not null
    )
    and not exists (select from public.claim_codes c where c.device_id = device.id and c.used_at is not null);
  perform private.write_audit(case when untouched then 'device_deleted' else 'device_retired' end,
    'device', device.serial, device.org_id, private.device_json(device));
  -- A device that never lived leaves no history, so its serial becomes free again.
  if untouched then
    delete from public.devices d where d.id = device.id;
    return jsonb_build_object('deleted', true);
  end if;
  update public.device_credentials c set revoked_at = now() where c.device_id = device.id and c.revoked_at is null;
  perform private.end_claim_codes(device.id, 'retired');
  update public.device_tenures t set ended_at = greatest(clock_timestamp(), t.started_at)
  where t.device_id = device.id and t.ended_at is null;
  update public.devices d set
    lifecycle = 'retired', retired_at = now(), desired = '{}', desired_version = d.desired_version + 1,
    pending_fw_version = null, pending_fw_url = null
  where d.id = device.id;
  return jsonb_build_object('deleted', false);
end
$$;

create or replace function ec.purge_expired(at timestamptz) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  counts jsonb := '{}';
  n bigint;
begin
  delete from ec.mqtt_outbox o where o.sent_at < at - interval '1 day' or o.sent_at is null and o.expires_at < at;
  get diagnostics n = row_count;
  counts := counts || jsonb_build_object('mqtt_outbox', n);
  delete from ec.webhook_outbox o where o.sent_at < at - interval '7 days';
  delete from ec.mail_outbox o where o.sent_at < at - interval '7 days' or o.failed_at < at - interval '30 days';
  delete from ec.idempotency_keys i where i.created_at < at - interval '24 hours';
  get diagnostics n = row_count;
  counts := counts || jsonb_build_object('idempotency_keys', n);
  delete from ec.live_leases l where l.expires_at < at - interval '1 minute';
  delete from ec.live_pending p where not exists (select from ec.live_leases l where l.topic = p.topic);
  delete from public.device_commands c where c.state not in ('queued', 'sent') and c.created_at < at - interval '90 days';
  delete from ec.rate_windows w where w.window_start < at - interval '1 hour';
  delete from public.dead_letters d where d.received_at < at - interval '30 days';
  get diagnostics n = row_count;
  counts := counts || jsonb_build_object('dead_letters', n);
  if to_regclass('cron.job_run_details') is not null then
    execute 'delete from cron.job_run_details where end_time < $1' using at - interval '2 days';
  end if;
  return counts;
end
$$;

create or replace function ec.setup_cron() returns void
language plpgsql
set search_path = ''
as $$
begin
  if to_regprocedure('cron.schedule(text, text, text)') is null then
    raise notice 'pg_cron is not installed: no jobs were scheduled';
    return;
  end if;
  perform cron.schedule(job.name, job.schedule, job.command)
  from (values
    ('ec_ensure_partitions', '7 * * * *', 'select ec.ensure_partitions(now())'),
    ('ec_drop_old_partitions', '17 * * * *', 'select ec.drop_old_partitions(now())'),
    ('ec_run_rollups', '30 seconds', 'select ec.run_rollups(now())'),
    ('ec_mark_offline', '30 seconds', 'select ec.mark_offline(now())'),
    ('ec_sweep_live', '5 seconds', 'select ec.sweep_live(now())'),
    ('ec_expire_credentials', '* * * * *', 'select ec.expire_credentials(now())'),
    ('ec_expire_commands', '30 seconds', 'select ec.expire_commands(now())'),
    ('ec_kick_mail', '* * * * *', 'select ec.kick_mail(now())'),
    ('ec_purge_expired', '23 * * * *', 'select ec.purge_expired(now())')
  ) job (name, schedule, command);
end
$$;

select ec.setup_cron();
