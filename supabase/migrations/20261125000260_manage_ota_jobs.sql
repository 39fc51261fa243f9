-- What people do with jobs: look who would get one, make it, hold it, go on, stop it, try again.

create function private.next_job_number(org_id uuid) returns int
language sql stable security definer
set search_path = ''
as $$ select coalesce(max(j.number), 0) + 1 from public.ota_jobs j where j.org_id = next_job_number.org_id $$;

create function private.max_job_devices() returns int
language sql immutable
set search_path = ''
as $$ select 50000 $$;

create function private.reason_counts(places private.ota_place[]) returns jsonb
language sql immutable
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(x.reason, x.n), '{}')
  from (select p.reason, count(*) as n from unnest(places) p where p.reason is not null group by p.reason) x
$$;

create function ec.preview_ota_job(org_id uuid, input jsonb) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  job jsonb;
  firmware public.firmware;
  named record;
  plan record;
  number int;
begin
  perform private.require_org(preview_ota_job.org_id, 'ota');
  job := private.read_job_input(input);
  firmware := private.usable_firmware(preview_ota_job.org_id, (job ->> 'firmware_id')::uuid);
  named := private.ota_targets(preview_ota_job.org_id, job -> 'target');
  number := private.next_job_number(preview_ota_job.org_id);
  plan := private.plan_job(firmware, named.device_ids, job, number);
  return jsonb_build_object(
    'number', number,
    'firmware', jsonb_build_object('id', firmware.id, 'version', firmware.version, 'product_type', firmware.product_type,
      'size', firmware.size, 'chip', firmware.chip),
    'stages', plan.stages,
    'targeted', (select count(*) from unnest(plan.places) p where p.reason is null),
    'excluded', (select count(*) from unnest(plan.places) p where p.reason is not null) + cardinality(named.missing),
    'reasons', private.reason_counts(plan.places)
      || case when named.missing = '{}' then '{}' else jsonb_build_object('not_found', cardinality(named.missing)) end,
    'devices', (
      select coalesce(jsonb_agg(to_jsonb(x) - 'sort' order by x.sort, x.stage, x.serial), '[]')
      from (
        select m as serial, null as name, null as fw_version, null as status, null::int as stage, 'not_found' as reason,
          null::jsonb as detail, 0 as sort
        from unnest(named.missing) m
        union all
        select p.serial, p.name, p.fw_version, p.status, p.stage, p.reason, p.detail, case when p.reason is null then 2 else 1 end
        from unnest(plan.places) p
        order by sort, stage, serial limit 1000
      ) x
    ));
end
$$;
comment on function ec.preview_ota_job(uuid, jsonb) is
  'Action ota: who would get it and who not, why → {number, firmware, stages, targeted, excluded, reasons, devices (1,000, excluded ones first)}. EC400, EC403, EC404, EC409';

-- What an older job has not sent yet gives way to a newer one.
create function private.supersede_ota(device_nums int[], number int) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  held bigint[];
begin
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e where e.device_num = any (device_nums) and e.state = 'queued' order by e.id for update
  ) x;
  perform private.withdraw_messages(array(select e.outbox_id from public.ota_job_devices e where e.id = any (held)));
  perform private.end_ota(array(
    select e.id from public.ota_job_devices e
    where e.id = any (held) and e.state = 'queued' and not private.is_on_its_way(e.outbox_id)
  ), 'cancelled', format('superseded by job #%s', number));
end
$$;

-- The caller has checked the right. One job of an org is made at a time, and its devices stay whose they are meanwhile.
create function private.make_job(org_id uuid, job jsonb, single bool) returns public.ota_jobs
language plpgsql security definer
set search_path = ''
as $$
declare
  at timestamptz := clock_timestamp();
  firmware public.firmware;
  device_ids uuid[] := (private.ota_targets(make_job.org_id, job -> 'target')).device_ids;
  number int;
  empty_stage int;
  plan record;
  made public.ota_jobs;
  org_zone text := private.zone_of(make_job.org_id, null);
begin
  perform pg_advisory_xact_lock(hashtextextended('private.make_job ' || make_job.org_id, 0));
  number := private.next_job_number(make_job.org_id);
  -- Nobody retires it meanwhile.
  perform from public.firmware f where f.id = (job ->> 'firmware_id')::uuid for share;
  firmware := private.usable_firmware(make_job.org_id, (job ->> 'firmware_id')::uuid);
  device_ids := array(
    select d.id from public.devices d where d.id = any (device_ids) and d.org_id = make_job.org_id order by d.id for no key update);
  plan := private.plan_job(firmware, device_ids, job, number);
  if not exists (select from unnest(plan.places) p where p.reason is null) then
    perform private.refuse('EC422', 'unprocessable', 'No device would get it.', jsonb_build_object(
      'reasons', private.reason_counts(plan.places), 'reason', (select p.reason from unnest(plan.places) p limit 1),
      'detail', (select p.detail from unnest(plan.places) p limit 1)));
  elsif (select count(*) from unnest(plan.places) p where p.reason is null) > private.max_job_devices() then
    perform private.refuse('EC422', 'unprocessable', 'A job has at most 50,000 devices.');
  end if;
  -- Devices that are named to go first protect the others: with a slip of the pen nobody would.
  select min(s.n) into empty_stage from jsonb_array_elements(plan.stages) with ordinality s (part, n)
  where s.part ? 'serials' and s.part -> 'devices' = '0';
  if empty_stage is not null then
    perform private.refuse('EC422', 'unprocessable', format('None of the devices stage %s names would get it.', empty_stage),
      jsonb_build_object('reason', 'empty_stage', 'stage', empty_stage - 1));
  end if;
  perform private.supersede_ota(array(select p.device_num from unnest(plan.places) p where p.reason is null), number);

  insert into public.ota_jobs (org_id, number, firmware_id, product_type, version, name, target, stages, failure_pct, failure_min,
    timeout_s, force, job_window, starts_at, state, single, created_by_kind, created_by_id, created_by_label)
  values (make_job.org_id, number, firmware.id, firmware.product_type, firmware.version, nullif(btrim(job ->> 'name'), ''),
    job -> 'target', plan.stages, (job ->> 'failure_pct')::int, (job ->> 'failure_min')::int, (job ->> 'timeout_s')::int,
    (job ->> 'force')::bool, job -> 'window', coalesce((job ->> 'starts_at')::timestamptz, at), 'scheduled', make_job.single,
    coalesce(private.actor_kind(), 'system'), private.actor_id(), private.actor_label())
  returning * into made;
  -- A bridge may hold a message of the older job since the plan was made; then the device stays with that one.
  insert into public.ota_job_devices (job_id, device_id, device_num, serial, org_id, stage, position, from_version, zone)
  select made.id, p.device_id, p.device_num, p.serial, made.org_id, p.stage, p.position, p.fw_version, coalesce(z.zone, org_zone)
  from unnest(plan.places) p
  join public.devices d on d.id = p.device_id
  left join (
    select x.location_id, private.zone_of(made.org_id, x.location_id) as zone
    from (select distinct o.location_id from public.devices o where o.id = any (device_ids)) x
  ) z on z.location_id = d.location_id
  where p.reason is null
  order by p.stage, p.position
  on conflict (device_num) where state in ('queued', 'sent', 'downloading', 'installing', 'rebooting') do nothing;
  update public.devices d set
    pending_fw_version = made.version, pending_fw_url = format('%s/firmware/%s/file', private.api_url(), made.firmware_id)
  where d.id in (select e.device_id from public.ota_job_devices e where e.job_id = made.id);
  insert into public.ota_events (job_id, job_device_id, org_id, serial, state)
  select e.job_id, e.id, e.org_id, e.serial, e.state from public.ota_job_devices e where e.job_id = made.id order by e.id;

  perform private.log_job(made, 'created', jsonb_build_object('by', made.created_by_label, 'devices', cardinality(plan.places)
    - (select count(*) from unnest(plan.places) p where p.reason is not null)));
  perform private.write_audit(case when single then 'ota_pushed' else 'ota_job_created' end,
    case when single then 'device' else 'ota_job' end,
    case when single then plan.places[1].serial else made.id::text end, made.org_id, null,
    jsonb_build_object('number', made.number, 'version', made.version, 'product_type', made.product_type));
  return private.advance_job(made, at);
end
$$;

create function ec.create_ota_job(org_id uuid, input jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  job public.ota_jobs;
begin
  perform private.require_org(create_ota_job.org_id, 'ota');
  job := private.make_job(create_ota_job.org_id, private.read_job_input(input), false);
  return private.ota_job_and_failures(job);
end
$$;
comment on function ec.create_ota_job(uuid, jsonb) is
  'Action ota → the job, begun unless starts_at lies ahead. EC400, EC403, EC404, EC409 (firmware not ready), EC422 {reasons}';

create function ec.push_firmware(serial text, firmware_id uuid, force bool default false) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices := private.lock_device(push_firmware.serial, 'ota');
  job public.ota_jobs;
begin
  job := private.make_job(device.org_id, private.read_job_input(jsonb_build_object(
    'firmware_id', push_firmware.firmware_id, 'force', coalesce(push_firmware.force, false),
    'target', jsonb_build_object('serials', jsonb_build_array(device.serial)))), true);
  return private.ota_job_and_failures(job);
end
$$;
comment on function ec.push_firmware(text, uuid, bool) is 'Action ota: a job of one device → the job. EC403, EC404, EC409, EC422 {reason, detail}';

create function private.lock_job(job_id uuid, states text[]) returns public.ota_jobs
language plpgsql security definer
set search_path = ''
as $$
declare
  job public.ota_jobs;
begin
  select j.* into job from public.ota_jobs j where j.id = lock_job.job_id for no key update;
  perform private.require_org(job.org_id, 'ota');
  if job.state <> all (states) then
    perform private.refuse('EC409', 'conflict', format('This job is %s.', job.state), jsonb_build_object('state', job.state));
  end if;
  return job;
end
$$;

create function private.audit_job(job public.ota_jobs, action text) returns void
language sql security definer
set search_path = ''
as $$
  select private.write_audit(audit_job.action, 'ota_job', job.id::text, job.org_id, null,
    jsonb_build_object('number', job.number, 'version', job.version))
$$;

-- Messages no bridge holds yet are taken back; what is with a device goes on.
create function ec.pause_ota_job(job_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  job public.ota_jobs := private.lock_job(job_id, '{running}');
begin
  perform from public.ota_job_devices e where e.job_id = job.id and e.state = 'queued' and e.released order by e.id for update;
  perform private.withdraw_messages(array(
    select e.outbox_id from public.ota_job_devices e where e.job_id = job.id and e.state = 'queued' and e.outbox_id is not null));
  update public.ota_jobs j set state = 'paused' where j.id = job.id returning j.* into job;
  perform private.log_job(job, 'paused', jsonb_build_object('by', private.actor_label()));
  perform private.audit_job(job, 'ota_job_paused');
  return private.ota_job_and_failures(job);
end
$$;

create function ec.resume_ota_job(job_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  job public.ota_jobs := private.lock_job(job_id, '{paused}');
begin
  update public.ota_jobs j set state = 'running' where j.id = job.id returning j.* into job;
  perform private.log_job(job, 'resumed', jsonb_build_object('by', private.actor_label()));
  perform private.audit_job(job, 'ota_job_resumed');
  job := private.advance_job(job, clock_timestamp());
  return private.ota_job_and_failures(job);
end
$$;

create function ec.abort_ota_job(job_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  job public.ota_jobs := private.lock_job(job_id, '{scheduled,running,paused}');
begin
  perform from public.ota_job_devices e where e.job_id = job.id and e.state = 'queued' order by e.id for update;
  job := private.abort_job(job, jsonb_build_object('kind', 'by_hand', 'by', private.actor_label()));
  perform private.audit_job(job, 'ota_job_aborted');
  job := private.advance_job(job, clock_timestamp());
  return private.ota_job_and_failures(job);
end
$$;

-- Devices that are not the org's any more, run this or a newer version by now, or have another update before them, stay
-- out.
create function ec.retry_ota_job(job_id uuid, states text[] default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  wanted text[] := coalesce(states, '{failed,timed_out,rolled_back,cancelled}');
  job public.ota_jobs := private.lock_job(job_id, '{running,paused,aborted,completed}');
  held bigint[];
begin
  if not wanted <@ '{failed,timed_out,rolled_back,rejected,cancelled}' or wanted = '{}' then
    perform private.refuse('EC400', 'invalid_request',
      'Only failed, timed_out, rolled_back, rejected and cancelled devices can be tried again.');
  elsif not exists (select from public.firmware f where f.id = job.firmware_id and f.state = 'ready') then
    perform private.refuse('EC409', 'conflict', 'This firmware is not ready for use.');
  end if;
  perform from public.devices d
  where d.id in (select e.device_id from public.ota_job_devices e where e.job_id = job.id and e.state = any (wanted))
  order by d.id for no key update;
  select array_agg(x.id) into held from (
    select e.id
    from public.ota_job_devices e join public.devices d on d.id = e.device_id
    where e.job_id = job.id and e.state = any (wanted) and d.org_id = job.org_id and d.lifecycle <> 'retired'
      and (job.force or d.fw_version is null
        or private.plain_version(d.fw_version) <> job.version and private.compare_versions(d.fw_version, job.version) <= 0)
      and not exists (
        select from public.ota_job_devices o
        where o.device_num = e.device_num and o.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting'))
    order by e.id for update of e
  ) x;
  if held is null then
    perform private.refuse('EC409', 'conflict', 'No device of this job can be tried again.', jsonb_build_object('state', job.state));
  end if;
  update public.ota_job_devices e set
    state = 'queued', attempt = e.attempt + 1, percent = null, reason = null, sends = 0, sent_at = null, outbox_id = null,
    not_before = null, old_seen_at = null, timeout_at = null, finished_at = null,
    queued_at = clock_timestamp(), changed_at = clock_timestamp()
  where e.id = any (held);
  update public.devices d set
    pending_fw_version = job.version, pending_fw_url = format('%s/firmware/%s/file', private.api_url(), job.firmware_id)
  where d.id in (select e.device_id from public.ota_job_devices e where e.id = any (held));
  update public.ota_jobs j set
    state = case when j.state = 'paused' then j.state else 'running' end, abort_reason = null, finished_at = null,
    soaking_since = null, counting_since = clock_timestamp(), started_at = coalesce(j.started_at, clock_timestamp())
  where j.id = job.id returning j.* into job;
  perform private.log_ota(held);
  perform private.show_ota(held);
  perform private.log_job(job, 'retried', jsonb_build_object('by', private.actor_label(), 'devices', cardinality(held)));
  perform private.audit_job(job, 'ota_job_retried');
  job := private.advance_job(job, clock_timestamp());
  return private.ota_job_and_failures(job);
end
$$;

comment on function ec.pause_ota_job(uuid) is 'Action ota: nobody new begins → the job. EC403, EC404, EC409 {state}';
comment on function ec.resume_ota_job(uuid) is 'Action ota → the job. EC403, EC404, EC409 {state}';
comment on function ec.abort_ota_job(uuid) is 'Action ota: what waits is cancelled, what runs goes on → the job. EC403, EC404, EC409 {state}';
comment on function ec.retry_ota_job(uuid, text[]) is
  'Action ota: a new attempt for devices in these states (failed, timed_out, rolled_back, cancelled) → the job. EC400, EC403, EC404, EC409 {state}';

create function ec.retire_firmware(firmware_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  firmware public.firmware := private.lock_firmware(firmware_id, false);
  jobs jsonb;
begin
  select jsonb_agg(j.number order by j.number) into jobs from public.ota_jobs j
  where j.firmware_id = firmware.id and j.org_id = firmware.org_id and j.state in ('scheduled', 'running', 'paused');
  if exists (select from public.ota_jobs j where j.firmware_id = firmware.id and j.state in ('scheduled', 'running', 'paused')) then
    perform private.refuse('EC409', 'conflict', 'An update job uses this firmware.', jsonb_build_object('jobs', coalesce(jobs, '[]')));
  end if;
  update public.firmware f set state = 'refused', refused_reason = 'abandoned' where f.id = firmware.id and f.state = 'uploading';
  update public.firmware f set state = 'retired' where f.id = firmware.id and f.state = 'ready';
  if found then
    perform private.write_audit('firmware_retired', 'firmware', firmware.id::text, firmware.org_id, null,
      jsonb_build_object('product_type', firmware.product_type, 'version', firmware.version));
  end if;
  select f.* into firmware from public.firmware f where f.id = firmware.id;
  return private.firmware_json(firmware);
end
$$;
comment on function ec.retire_firmware(uuid) is 'Action ota: nobody gets it any more, an unfinished upload is given up → the firmware. EC403, EC404, EC409 {jobs: numbers}';

grant execute on function
  ec.preview_ota_job(uuid, jsonb), ec.create_ota_job(uuid, jsonb), ec.push_firmware(text, uuid, bool), ec.pause_ota_job(uuid),
  ec.resume_ota_job(uuid), ec.abort_ota_job(uuid), ec.retry_ota_job(uuid, text[]), ec.retire_firmware(uuid)
to authenticated;
