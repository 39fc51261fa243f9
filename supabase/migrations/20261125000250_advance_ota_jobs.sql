-- What moves a job: a stage begins, is done, rests and gives way to the next; failures stop all of it. Called when an
-- execution ends (NOTIFY ec_ota), by cron, and at the end of whatever people do to a job.

create function private.abort_job(job public.ota_jobs, reason jsonb) returns public.ota_jobs
language plpgsql security definer
set search_path = ''
as $$
declare
  stopped public.ota_jobs;
begin
  update public.ota_jobs j set
    state = 'aborted', abort_reason = reason, finished_at = clock_timestamp(), soaking_since = null
  where j.id = job.id returning j.* into stopped;
  perform private.log_job(stopped, 'aborted', reason);
  if reason ->> 'kind' <> 'by_hand' then
    perform private.write_audit('ota_job_aborted', 'ota_job', stopped.id::text, stopped.org_id, null, reason || jsonb_build_object('number', stopped.number));
    perform private.notify_org(stopped.org_id, 'ota_job_aborted', 'bad',
      format('Update job #%s (%s) stopped itself', stopped.number, stopped.version),
      case when reason ->> 'kind' = 'failure_threshold'
        then format('%s of %s finished devices of stage %s failed. Nobody else gets it.',
          reason ->> 'failed', reason ->> 'finished', (reason ->> 'stage')::int + 1)
        else format('No device of stage %s succeeded. Nobody else gets it.', (reason ->> 'stage')::int + 1) end,
      format('/org/firmware/jobs/%s', stopped.id), jsonb_build_object('job', stopped.id));
  end if;
  return stopped;
end
$$;

-- What has not begun in an aborted job does not begin. What a bridge holds is on its way and counts as begun.
create function private.cancel_waiting(job public.ota_jobs, reason text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  held bigint[];
begin
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.job_id = job.id and e.state = 'queued' order by e.id for update skip locked
  ) x;
  perform private.withdraw_messages(array(select e.outbox_id from public.ota_job_devices e where e.id = any (held)));
  perform private.end_ota(array(
    select e.id from public.ota_job_devices e where e.id = any (held) and not private.is_on_its_way(e.outbox_id)
  ), 'cancelled', reason);
end
$$;

-- Per stage since counting began: who is in it, who is under way, who made it, who did not.
create function private.tally_stage(job public.ota_jobs, stage int,
  out devices int, out waiting int, out under_way int, out succeeded int, out failed int, out finished int)
language sql stable security definer
set search_path = ''
as $$
  select count(*) filter (where e.state <> 'cancelled'), count(*) filter (where e.state = 'queued'),
    count(*) filter (where e.state in ('sent', 'downloading', 'installing', 'rebooting')),
    count(*) filter (where e.state = 'succeeded'),
    count(*) filter (where e.state in ('failed', 'rolled_back', 'timed_out', 'rejected') and e.finished_at >= job.counting_since),
    count(*) filter (where e.state in ('succeeded', 'failed', 'rolled_back', 'timed_out', 'rejected') and e.finished_at >= job.counting_since)
  from public.ota_job_devices e where e.job_id = job.id and e.stage = tally_stage.stage
$$;

-- A device that fails after its stage has passed stops the job as well. The share is of all that were told, not of the
-- finished ones: who refuses or fails at once is finished first, and ten of a thousand are no sign of a bad image.
create function private.failed_stage(job public.ota_jobs) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  tally record;
begin
  for n in 0 .. job.stage loop
    tally := private.tally_stage(job, n);
    if tally.failed >= coalesce(job.failure_min, case when n = 0 and jsonb_array_length(job.stages) > 1
        and tally.devices <= 10 then 1 else 3 end)
      and tally.failed * 100 >= job.failure_pct * (tally.finished + tally.under_way) then
      return jsonb_build_object('kind', 'failure_threshold', 'stage', n, 'failed', tally.failed, 'finished', tally.finished,
        'pct', round(100.0 * tally.failed / (tally.finished + tally.under_way), 1));
    end if;
  end loop;
  return null;
end
$$;

-- Through as many stages as are done. Done: nobody under way, half of the devices succeeded (of those that are left when
-- nobody waits any more, one), and the rest after that is over.
create function private.step_job(job public.ota_jobs, at timestamptz) returns public.ota_jobs
language plpgsql security definer
set search_path = ''
as $$
declare
  tally record;
  reason jsonb;
  has_passed bool;
  soak interval;
begin
  loop
    update public.ota_job_devices e set released = true
    where e.id in (
      select x.id from public.ota_job_devices x
      where x.job_id = job.id and x.stage <= job.stage and not x.released and private.is_open(x.state)
      order by x.id for update skip locked
    );
    reason := private.failed_stage(job);
    if reason is not null then
      return private.abort_job(job, reason);
    end if;

    tally := private.tally_stage(job, job.stage);
    soak := make_interval(secs => (job.stages -> job.stage ->> 'soak_s')::int);
    -- A stage whose devices have all left has shown nothing: an earlier one must have.
    has_passed := tally.devices = 0 and (job.stages -> job.stage -> 'devices' = '0' or exists (
        select from public.ota_job_devices e where e.job_id = job.id and e.stage < job.stage and e.state = 'succeeded'))
      or tally.succeeded > 0 and (tally.succeeded * 2 >= tally.devices or tally.waiting + tally.under_way = 0);
    if not has_passed and tally.succeeded = 0 and tally.waiting + tally.under_way = 0
      and job.stage < jsonb_array_length(job.stages) - 1 then
      return private.abort_job(job, jsonb_build_object('kind', 'no_success', 'stage', job.stage, 'failed', tally.failed,
        'finished', tally.finished));
    end if;

    if has_passed and job.soaking_since is null and tally.under_way = 0 then
      update public.ota_jobs j set soaking_since = at where j.id = job.id returning j.* into job;
      if tally.devices > 0 and soak > interval '0' then
        perform private.log_job(job, 'soaking', jsonb_build_object('stage', job.stage, 'soak_s', job.stages -> job.stage -> 'soak_s'));
      end if;
    elsif not has_passed and job.soaking_since is not null then
      update public.ota_jobs j set soaking_since = null where j.id = job.id returning j.* into job;
    end if;
    exit when job.soaking_since is null or tally.devices > 0 and at < job.soaking_since + soak
      or job.stage = jsonb_array_length(job.stages) - 1;
    update public.ota_jobs j set stage = j.stage + 1, soaking_since = null where j.id = job.id returning j.* into job;
    perform private.log_job(job, 'stage_released',
      jsonb_build_object('stage', job.stage, 'devices', job.stages -> job.stage -> 'devices'));
  end loop;

  tally := private.tally_stage(job, job.stage);
  soak := make_interval(secs => (job.stages -> job.stage ->> 'soak_s')::int);
  if job.stage = jsonb_array_length(job.stages) - 1
    and not exists (select from public.ota_job_devices e where e.job_id = job.id and private.is_open(e.state))
    and (tally.succeeded = 0 or job.soaking_since is not null and at >= job.soaking_since + soak) then
    return private.complete_job(job);
  end if;
  return job;
end
$$;

create function private.complete_job(job public.ota_jobs) returns public.ota_jobs
language plpgsql security definer
set search_path = ''
as $$
declare
  counts jsonb := private.ota_counts(job.id);
  made_it int := (counts ->> 'succeeded')::int;
  total int;
  done public.ota_jobs;
begin
  select sum(c.value::int) into total from jsonb_each_text(counts) c;
  update public.ota_jobs j set state = 'completed', finished_at = clock_timestamp(), soaking_since = null
  where j.id = job.id returning j.* into done;
  perform private.log_job(done, 'completed', jsonb_build_object('succeeded', made_it, 'devices', total));
  perform private.notify_org(done.org_id, 'ota_job_finished', case when made_it = total then 'info' else 'warn' end,
    format('Update job #%s is finished', done.number),
    format('%s of %s devices run %s.', made_it, total, done.version),
    format('/org/firmware/jobs/%s', done.id), jsonb_build_object('job', done.id));
  return done;
end
$$;

-- Marks the devices that are awaited, and sends to those that are there. What another transaction holds right now waits
-- for the next round, which is asked for at once.
create function private.send_released(job public.ota_jobs, at timestamptz) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  wanted int;
  nums int[];
  held bigint[];
begin
  update public.device_state s set pending = true
  where s.device_num in (
    select x.device_num
    from public.ota_job_devices e join public.device_state x on x.device_num = e.device_num
    where e.job_id = job.id and e.released and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
      and not x.pending
    order by x.device_num for no key update of x skip locked
  );

  select count(*) into wanted
  from public.ota_job_devices e join public.device_state s on s.device_num = e.device_num
  where e.job_id = job.id and e.released and e.state = 'queued' and (e.not_before <= at) is not false
    and s.connected and not private.is_on_its_way(e.outbox_id);
  if wanted = 0 then
    return;
  end if;
  select array_agg(x.device_num) into nums from (
    select s.device_num
    from public.ota_job_devices e join public.device_state s on s.device_num = e.device_num
    where e.job_id = job.id and e.released and e.state = 'queued' and (e.not_before <= at) is not false
      and s.connected and not private.is_on_its_way(e.outbox_id)
    order by s.device_num for no key update of s skip locked
  ) x;
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.job_id = job.id and e.device_num = any (nums) and e.state = 'queued'
    order by e.id for update skip locked
  ) x;
  if held is not null then
    perform private.send_ota(private.due_ota(held));
  end if;
  if wanted > coalesce(cardinality(held), 0) then
    perform pg_notify('ec_ota', '');
  end if;
end
$$;

-- The caller holds the job. Waits for nothing: what is busy is left to the next round.
create function private.advance_job(job public.ota_jobs, at timestamptz) returns public.ota_jobs
language plpgsql security definer
set search_path = ''
as $$
declare
  late bigint[];
begin
  select array_agg(x.id) into late from (
    select e.id from public.ota_job_devices e
    where e.job_id = job.id and e.state in ('sent', 'downloading', 'installing', 'rebooting') and e.timeout_at <= at
    order by e.id for update skip locked
  ) x;
  perform private.end_ota(late, 'timed_out', 'Nothing was heard of it in time.');
  if job.state = 'scheduled' and job.starts_at <= at then
    update public.ota_jobs j set state = 'running', started_at = clock_timestamp(), counting_since = clock_timestamp()
    where j.id = job.id returning j.* into job;
    perform private.log_job(job, 'started');
  end if;
  if job.state = 'running' then
    job := private.step_job(job, at);
  end if;
  if job.state = 'running' then
    perform private.send_released(job, at);
  elsif job.state = 'aborted' then
    perform private.cancel_waiting(job, 'The job was aborted.');
  end if;
  return job;
end
$$;

create function ec.advance_ota_jobs(at timestamptz) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  job public.ota_jobs;
  moved int := 0;
begin
  -- Rounds follow each other; whoever works on a job at this moment advances it himself.
  perform pg_advisory_xact_lock(hashtext('ec.advance_ota_jobs'));
  for job in
    select j.* from public.ota_jobs j
    where j.state = 'scheduled' and j.starts_at <= advance_ota_jobs.at or j.state in ('running', 'paused')
      or j.state = 'aborted' and exists (
        select from public.ota_job_devices e
        where e.job_id = j.id and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting'))
    order by j.id for no key update skip locked
  loop
    -- Whatever is wrong with one job is no other org's trouble.
    begin
      perform private.advance_job(job, advance_ota_jobs.at);
      moved := moved + 1;
    exception when others then
      raise warning 'Update job % does not advance: % (%)', job.id, sqlerrm, sqlstate;
    end;
  end loop;
  return moved;
end
$$;
comment on function ec.advance_ota_jobs(timestamptz) is 'Cron and NOTIFY ec_ota: one round over all jobs that are open; returns how many';
grant execute on function ec.advance_ota_jobs(timestamptz) to ec_bridge, ec_worker;
