-- Jobs move by the clock as well: their starts, windows, rests and the patience with silent devices.

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
  delete from ec.firmware_links l where l.expires_at < at - interval '1 day';
  delete from public.ota_events e where e.at < purge_expired.at - interval '400 days';
  delete from public.device_reboots r where r.booted_at < purge_expired.at - interval '400 days';
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
    ('ec_advance_ota_jobs', '30 seconds', 'select ec.advance_ota_jobs(now())'),
    ('ec_sweep_pending_firmware', '* * * * *', 'select ec.sweep_pending_firmware()'),
    ('ec_kick_mail', '* * * * *', 'select ec.kick_mail(now())'),
    ('ec_purge_expired', '23 * * * *', 'select ec.purge_expired(now())')
  ) job (name, schedule, command);
end
$$;

select ec.setup_cron();
