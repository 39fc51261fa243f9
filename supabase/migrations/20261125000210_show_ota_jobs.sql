-- Jobs as people see them: one object with its counts, and live on a topic of their own, `job:<uuid>:<epoch>`.

alter table ec.live_leases drop constraint kind_is_known;
alter table ec.live_leases
  add constraint kind_is_known check (kind in ('device', 'org', 'bell', 'job')),
  add column job_id uuid;
create index live_leases_job_id_idx on ec.live_leases (job_id) where kind = 'job';

create or replace function private.can_join_topic(topic text) returns bool
language plpgsql stable security definer
set search_path = ''
as $$
declare
  kind text := split_part(topic, ':', 1);
  wanted_id uuid;
  wanted_epoch int;
begin
  if topic !~ '^(org|device|bell|job):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]{1,9}$' then
    return false;
  end if;
  -- A token made for named topics joins no others.
  if private.claims() ? 'ec_topics' and not private.claims() -> 'ec_topics' ? topic then
    return false;
  end if;
  wanted_id := split_part(topic, ':', 2);
  wanted_epoch := split_part(topic, ':', 3);
  if kind in ('org', 'bell') then
    return exists (
      select from public.orgs o
      where o.id = wanted_id and o.live_epoch = wanted_epoch and case kind
        when 'org' then o.id = any (array(select private.my_org_ids()))
        else o.id = any (array(select private.my_bell_org_ids())) end
    );
  elsif kind = 'job' then
    return exists (
      select from public.ota_jobs j join public.orgs o on o.id = j.org_id
      where j.id = wanted_id and o.live_epoch = wanted_epoch and o.id = any (array(select private.my_org_ids()))
    );
  end if;
  return exists (
    select from public.devices d join public.orgs o on o.id = d.org_id
    where d.id = wanted_id and o.live_epoch = wanted_epoch
      and (o.id = any (array(select private.my_org_ids())) or d.id = any (array(select private.my_device_ids())))
  );
end
$$;

-- asked: `org:<uuid>`, `bell:<org uuid>`, `job:<uuid>` or `device:<serial>`. Returns a row for each that the actor may
-- watch; the others are left out, missing and foreign alike. A lease lasts 20 seconds; viewers renew every 10.
create or replace function ec.lease_topics(topics text[]) returns table (asked text, topic text, expires_at timestamptz)
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  ends_at timestamptz := clock_timestamp() + interval '20 seconds';
begin
  return query
  with wanted as (
    select a.asked, k.kind, k.kind || ':' || o.id || ':' || o.live_epoch as topic, o.id as org_id, o.num as org_num,
      null::int as device_num, null::uuid as job_id
    from (select distinct w from unnest(topics) w) as a (asked)
    cross join lateral (select split_part(a.asked, ':', 1)) as k (kind)
    join public.orgs o on k.kind in ('org', 'bell') and o.id::text = split_part(a.asked, ':', 2)
    union all
    select a.asked, 'job', 'job:' || j.id || ':' || o.live_epoch, o.id, o.num, null, j.id
    from (select distinct w from unnest(topics) w) as a (asked)
    join public.ota_jobs j on a.asked ~* '^job:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' and j.id = substr(a.asked, 5)::uuid
    join public.orgs o on o.id = j.org_id
    union all
    select a.asked, 'device', 'device:' || d.id || ':' || o.live_epoch, o.id, o.num, d.num, null
    from (select distinct w from unnest(topics) w) as a (asked)
    join public.devices d on a.asked like 'device:%' and d.serial = substr(a.asked, 8)
    join public.orgs o on o.id = d.org_id
  ), leased as (
    insert into ec.live_leases as l (topic, kind, org_id, org_num, device_num, job_id, expires_at)
    select w.topic, w.kind, w.org_id, w.org_num, w.device_num, w.job_id, ends_at
    from wanted w where private.can_join_topic(w.topic)
    order by w.topic
    on conflict (topic) do update set expires_at = greatest(l.expires_at, excluded.expires_at)
    returning l.topic, l.expires_at
  )
  select w.asked, l.topic, l.expires_at from leased l join wanted w on w.topic = l.topic order by w.asked;
end
$$;

-- All states, so that nobody has to ask whether a missing one is none.
create function private.ota_counts(job_id uuid, stage int default null) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_object_agg(x.state, coalesce(c.n, 0))
  from unnest('{queued,sent,downloading,installing,rebooting,succeeded,failed,rolled_back,timed_out,rejected,cancelled}'::text[]) x (state)
  left join (
    select e.state, count(*) as n from public.ota_job_devices e
    where e.job_id = ota_counts.job_id and (ota_counts.stage is null or e.stage = ota_counts.stage)
    group by e.state
  ) c on c.state = x.state
$$;

-- brief: as many serials as a list can show, and no counts by stage.
create function private.few_serials(part jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
  select case when part ? 'serials' then part || jsonb_build_object('serials', jsonb_path_query_array(part, '$.serials[0 to 19]')) else part end
$$;

create function private.ota_job_json(job public.ota_jobs, brief bool default false) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'id', job.id, 'number', job.number, 'org_id', job.org_id, 'name', job.name, 'single', job.single,
    'firmware', jsonb_build_object('id', f.id, 'version', job.version, 'product_type', job.product_type, 'size', f.size),
    'target', case when brief then private.few_serials(job.target) else job.target end,
    'stages', (
      select jsonb_agg(case when brief then private.few_serials(s.part) || '{"counts": {}}'
        else s.part || jsonb_build_object('counts', private.ota_counts(job.id, s.n::int - 1)) end order by s.n)
      from jsonb_array_elements(job.stages) with ordinality s (part, n)
    ),
    'stage', job.stage, 'soaking_since', ec.iso_time(job.soaking_since), 'state', job.state, 'abort_reason', job.abort_reason,
    'failure_pct', job.failure_pct, 'failure_min', job.failure_min, 'timeout_s', job.timeout_s, 'force', job.force,
    'window', job.job_window, 'starts_at', ec.iso_time(job.starts_at), 'created_at', ec.iso_time(job.created_at),
    'created_by', job.created_by_label, 'created_by_kind', job.created_by_kind,
    'started_at', ec.iso_time(job.started_at), 'finished_at', ec.iso_time(job.finished_at),
    'targeted', (select count(*) from public.ota_job_devices e where e.job_id = job.id),
    'counts', private.ota_counts(job.id))
  from public.firmware f where f.id = job.firmware_id
$$;

create function private.ota_job_and_failures(job public.ota_jobs) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select private.ota_job_json(job) || jsonb_build_object('failures', coalesce((
    select jsonb_agg(jsonb_build_object('state', x.state, 'reason', x.reason, 'devices', x.n) order by x.n desc, x.state, x.reason)
    from (
      select e.state, e.reason, count(*) as n from public.ota_job_devices e
      where e.job_id = job.id and e.state in ('failed', 'rolled_back', 'timed_out', 'rejected')
      group by e.state, e.reason
      order by n desc limit 100
    ) x
  ), '[]'))
$$;

create function ec.read_ota_job(job_id uuid) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select private.ota_job_and_failures(j) from public.ota_jobs j
  where j.id = read_ota_job.job_id and j.org_id = any (array(select private.my_org_ids()))
$$;
comment on function ec.read_ota_job(uuid) is 'The job with counts, stages and failures; null when there is none for the caller';

create function ec.list_ota_jobs(
  org_id uuid, state text default null, product_type text default null, before_number int default null, max int default 50
) returns setof jsonb
language sql stable security definer
set search_path = ''
as $$
  select private.ota_job_json(j, true) from public.ota_jobs j
  where j.org_id = list_ota_jobs.org_id and j.org_id = any (array(select private.my_org_ids()))
    and (list_ota_jobs.state is null or j.state = list_ota_jobs.state)
    and (list_ota_jobs.product_type is null or j.product_type = list_ota_jobs.product_type)
    and (before_number is null or j.number < before_number)
  order by j.number desc
  limit least(greatest(max, 1), 200)
$$;
comment on function ec.list_ota_jobs(uuid, text, text, int, int) is 'Newest first; without failures and counts by stage, at most 20 serials of each list';

-- What happened, written down and shown to whoever looks: at once on the device's topic, at most twice a second on the
-- job's. Device number 0 stands for the job itself.
create function private.show_ota(execution_ids bigint[], job_ids uuid[] default '{}') returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  topics text[];
begin
  if not exists (select from ec.live_leases l where l.kind in ('device', 'job') and l.expires_at > clock_timestamp()) then
    return;
  end if;
  perform realtime.send(jsonb_build_object('serial', e.serial, 'job_id', e.job_id, 'number', j.number, 'version', j.version,
    'state', e.state, 'percent', e.percent, 'reason', e.reason, 'attempt', e.attempt, 'at', ec.iso_time(e.changed_at)),
    'ota', l.topic, true)
  from public.ota_job_devices e
  join public.ota_jobs j on j.id = e.job_id
  join ec.live_leases l on l.kind = 'device' and l.device_num = e.device_num and l.expires_at > clock_timestamp()
  where e.id = any (execution_ids);
  with changed as (
    insert into ec.live_pending (topic, device_num)
    select l.topic, x.device_num
    from (
      select e.job_id, e.device_num from public.ota_job_devices e where e.id = any (execution_ids)
      union all select i, 0 from unnest(job_ids) i
    ) x
    join ec.live_leases l on l.kind = 'job' and l.job_id = x.job_id and l.expires_at > clock_timestamp()
    returning topic
  )
  select array_agg(distinct c.topic) into topics from changed c;
  if topics is not null then
    perform ec.send_due_topics(topics);
  end if;
end
$$;

create or replace function ec.send_due_topics(topics text[]) returns void
language plpgsql set search_path = ''
as $$
declare
  at timestamptz := clock_timestamp();
  lease record;
  nums int[];
  overflow int[];
  message jsonb;
begin
  for lease in
    select l.topic, l.kind, l.device_num, l.job_id from ec.live_leases l
    where l.topic = any (topics) and l.expires_at > at
      and (l.last_sent_at is null or l.last_sent_at <= at - interval '500 milliseconds' or l.kind = 'device' and exists (
        select from public.devices d where d.num = l.device_num and d.desired_at > at - interval '10 seconds'))
      and exists (select from ec.live_pending p where p.topic = l.topic)
    order by l.topic
    for update skip locked
  loop
    with taken as (
      delete from ec.live_pending p where p.topic = lease.topic returning p.device_num
    )
    select array_agg(distinct t.device_num) into nums from taken t;
    continue when nums is null;

    -- One message stays small enough for every broker of broadcasts; the rest goes with the next one.
    overflow := nums[501:];
    if overflow <> '{}' then
      insert into ec.live_pending (topic, device_num) select lease.topic, n from unnest(overflow) n;
      nums := nums[:500];
    end if;

    if lease.kind = 'device' then
      select jsonb_build_object('serial', s.serial, 'ts', ec.iso_time(coalesce(s.reported_at, s.last_seen)),
        'data', s.reported - array(select jsonb_object_keys(s.older)), 'reported', s.reported, 'older', s.older,
        'reported_version', s.reported_version, 'last_seen', ec.iso_time(s.last_seen), 'connected', s.connected,
        'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), at))
      into message
      from public.device_state s
      join public.devices d on d.id = s.device_id
      join public.product_types t on t.key = s.product_type
      where s.device_num = lease.device_num;
      perform realtime.send(message, 'telemetry', lease.topic, true);
    elsif lease.kind = 'job' then
      select jsonb_build_object('id', j.id, 'number', j.number, 'state', j.state, 'stage', j.stage,
        'soaking_since', ec.iso_time(j.soaking_since), 'abort_reason', j.abort_reason, 'counts', private.ota_counts(j.id),
        'changed', coalesce((
          select jsonb_agg(jsonb_build_object('serial', e.serial, 'state', e.state, 'percent', e.percent, 'reason', e.reason,
            'attempt', e.attempt, 'at', ec.iso_time(e.changed_at)) order by e.changed_at, e.id)
          from public.ota_job_devices e where e.job_id = j.id and e.device_num = any (nums)
        ), '[]'))
      into message
      from public.ota_jobs j where j.id = lease.job_id;
      perform realtime.send(message, 'job', lease.topic, true);
    else
      select jsonb_build_object('devices', jsonb_agg(jsonb_build_object('serial', s.serial,
        'ts', ec.iso_time(coalesce(s.reported_at, s.last_seen)), 'last_seen', ec.iso_time(s.last_seen), 'connected', s.connected,
        'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), at), 'values', s.reported)))
      into message
      from public.device_state s
      join public.devices d on d.id = s.device_id
      join public.product_types t on t.key = s.product_type
      where s.device_num = any (nums);
      perform realtime.send(message, 'fleet', lease.topic, true);
    end if;
    update ec.live_leases l set last_sent_at = at where l.topic = lease.topic;
  end loop;
end
$$;

create function private.log_ota(execution_ids bigint[], event text default null) returns void
language sql security definer
set search_path = ''
as $$
  insert into public.ota_events (job_id, job_device_id, org_id, serial, state, detail)
  select e.job_id, e.id, e.org_id, e.serial, e.state, jsonb_strip_nulls(jsonb_build_object(
    'event', log_ota.event, 'percent', e.percent, 'reason', e.reason, 'attempt', nullif(e.attempt, 1)))
  from public.ota_job_devices e where e.id = any (execution_ids) order by e.id
$$;
comment on function private.log_ota(bigint[], text) is 'The state they have now; event says more: resent, url_refreshed, deferred';

create function private.log_job(job public.ota_jobs, event text, detail jsonb default '{}') returns void
language sql security definer
set search_path = ''
as $$
  insert into public.ota_events (job_id, org_id, state, detail) values (job.id, job.org_id, event, jsonb_strip_nulls(detail));
  select private.show_ota('{}', array[job.id])
$$;

grant execute on function ec.read_ota_job(uuid), ec.list_ota_jobs(uuid, text, text, int, int) to authenticated;
