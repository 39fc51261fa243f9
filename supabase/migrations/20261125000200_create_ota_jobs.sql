-- Update jobs: a fixed list of devices, released stage by stage; each device's part is an execution with a state that
-- moves forward only. A device has at most one open execution, of whichever job.

create table public.ota_jobs (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  number int not null,
  firmware_id uuid not null references public.firmware (id),
  product_type text not null,
  version text not null,
  name text,
  target jsonb not null,
  stages jsonb not null,
  stage int not null default 0,
  soaking_since timestamptz,
  failure_pct int not null,
  failure_min int,
  timeout_s int not null,
  force bool not null,
  job_window jsonb,
  starts_at timestamptz,
  state text not null,
  abort_reason jsonb,
  single bool not null default false,
  created_by_kind text not null,
  created_by_id uuid,
  created_by_label text,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  counting_since timestamptz,
  finished_at timestamptz,
  unique (org_id, number),
  constraint state_is_known check (state in ('scheduled', 'running', 'paused', 'aborted', 'completed')),
  constraint name_is_valid check (length(btrim(name)) between 1 and 200)
);
create index ota_jobs_firmware_id_idx on public.ota_jobs (firmware_id);
create index ota_jobs_open_idx on public.ota_jobs (id) where state in ('scheduled', 'running', 'paused', 'aborted');
comment on column public.ota_jobs.number is 'Counts per org';
comment on column public.ota_jobs.target is 'As it was asked; the devices are in ota_job_devices';
comment on column public.ota_jobs.stages is '[{count | percent | serials, soak_s, devices}], in their order';
comment on column public.ota_jobs.stage is 'The one that runs, from 0';
comment on column public.ota_jobs.failure_min is 'Fewer failures never abort; null = 1 in a first stage of up to 10, else 3';
comment on column public.ota_jobs.job_window is '{start, end: HH:MM, days?: [mon…]} in the zone of each device';
comment on column public.ota_jobs.counting_since is 'Failures from before a retry do not abort again';
comment on column public.ota_jobs.abort_reason is '{kind: failure_threshold | no_success | by_hand, …numbers}';

create table public.ota_job_devices (
  id bigint generated always as identity primary key,
  job_id uuid not null references public.ota_jobs (id),
  device_id uuid not null references public.devices (id) on delete cascade,
  device_num int not null,
  serial text not null,
  org_id uuid not null,
  stage int not null,
  position int not null,
  state text not null default 'queued',
  percent int,
  reason text,
  from_version text,
  attempt int not null default 1,
  released bool not null default false,
  zone text not null,
  not_before timestamptz,
  queued_at timestamptz not null default clock_timestamp(),
  sent_at timestamptz,
  sends int not null default 0,
  outbox_id bigint,
  changed_at timestamptz not null default clock_timestamp(),
  old_seen_at timestamptz,
  timeout_at timestamptz,
  finished_at timestamptz,
  unique (job_id, device_id),
  constraint state_is_known check (state in ('queued', 'sent', 'downloading', 'installing', 'rebooting',
    'succeeded', 'failed', 'rolled_back', 'timed_out', 'rejected', 'cancelled')),
  constraint percent_is_sane check (percent between 0 and 100)
) with (fillfactor = 70);
create unique index ota_job_devices_are_open_once_per_device on public.ota_job_devices (device_num)
  where state in ('queued', 'sent', 'downloading', 'installing', 'rebooting');
create index ota_job_devices_open_idx on public.ota_job_devices (job_id)
  where state in ('queued', 'sent', 'downloading', 'installing', 'rebooting');
create index ota_job_devices_stage_idx on public.ota_job_devices (job_id, stage, position);
create index ota_job_devices_device_id_idx on public.ota_job_devices (device_id, queued_at desc);
create index ota_job_devices_org_id_idx on public.ota_job_devices (org_id);
comment on table public.ota_job_devices is 'Executions: what an update job means for one device';
comment on column public.ota_job_devices.attempt is 'Counts retries; a device does each (job, attempt) once';
comment on column public.ota_job_devices.released is 'Its stage has begun';
comment on column public.ota_job_devices.zone is 'Of its room or org when the job was made';
comment on column public.ota_job_devices.queued_at is 'When this attempt began to wait';
comment on column public.ota_job_devices.sent_at is 'The broker acknowledged it, or the HTTPS door handed it out; the last time';
comment on column public.ota_job_devices.outbox_id is 'Its message on the way to the broker';
comment on column public.ota_job_devices.old_seen_at is 'A packet with another version after it said it restarts';

create table public.ota_events (
  id bigint generated always as identity primary key,
  job_id uuid not null,
  job_device_id bigint references public.ota_job_devices (id) on delete cascade,
  org_id uuid not null,
  serial text,
  at timestamptz not null default clock_timestamp(),
  state text not null,
  detail jsonb not null default '{}'
);
create index ota_events_job_id_idx on public.ota_events (job_id, id) where job_device_id is null;
create index ota_events_job_device_id_idx on public.ota_events (job_device_id, id) where job_device_id is not null;
comment on table public.ota_events is 'What happened to each device of a job; without job_device_id, to the job';

alter table public.ota_jobs enable row level security;
alter table public.ota_job_devices enable row level security;
alter table public.ota_events enable row level security;
create policy ota_jobs_select on public.ota_jobs for select to authenticated
  using (org_id = any (array(select private.my_org_ids())));
create policy ota_job_devices_select on public.ota_job_devices for select to authenticated
  using (org_id = any (array(select private.my_org_ids())));
create policy ota_events_select on public.ota_events for select to authenticated
  using (org_id = any (array(select private.my_org_ids())));
grant select on public.ota_jobs, public.ota_job_devices, public.ota_events to authenticated, service_role;

-- Addresses of images that devices may open without a credential, for an hour.
create table ec.firmware_links (
  token_sha256 bytea primary key,
  firmware_id uuid not null references public.firmware (id) on delete cascade,
  job_device_id bigint references public.ota_job_devices (id) on delete cascade,
  expires_at timestamptz not null
);
create index firmware_links_firmware_id_idx on ec.firmware_links (firmware_id);
create index firmware_links_job_device_id_idx on ec.firmware_links (job_device_id);
create index firmware_links_expires_at_idx on ec.firmware_links (expires_at);
alter table ec.firmware_links enable row level security;

create function ec.firmware_link(token_sha256 bytea) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object('firmware_id', f.id, 'object_path', f.object_path, 'filename', f.filename, 'size', f.size,
    'expires_at', ec.iso_time(l.expires_at),
    'expired', l.expires_at <= clock_timestamp() or coalesce(e.state = 'cancelled', false))
  from ec.firmware_links l
  join public.firmware f on f.id = l.firmware_id
  left join public.ota_job_devices e on e.id = l.job_device_id
  where l.token_sha256 = firmware_link.token_sha256
$$;
comment on function ec.firmware_link(bytea) is
  'The API alone: sha256 of the token in the address → {firmware_id, object_path, filename, size, expires_at, expired}; null = unknown';
grant execute on function ec.firmware_link(bytea) to ec_api;

alter table ec.mqtt_outbox add column ota_id bigint;
comment on column ec.mqtt_outbox.ota_id is 'The execution it tells its device about';

alter table public.device_state
  add column named_version text,
  add column named_version_at timestamptz,
  add column fw_version text;
comment on column public.device_state.named_version is 'The firmware version the device named last, by the time of its packet';
comment on column public.device_state.fw_version is
  'What of it has been passed on to devices.fw_version: ingest compares packets with it';

create function private.is_open(state text) returns bool
language sql immutable
set search_path = ''
as $$ select state in ('queued', 'sent', 'downloading', 'installing', 'rebooting') $$;
