-- Readings, roll-ups, current state and what was refused. High-volume rows carry short keys (device_num,
-- org_num, tenure_id) and no foreign keys; policies compare the short keys with sets.

create table public.telemetry (
  device_num int not null,
  ts timestamptz not null,
  received_at timestamptz not null default now(),
  org_num int not null,
  tenure_id int not null,
  seq bigint,
  data jsonb not null,
  primary key (device_num, ts)
) partition by range (ts);
create table ec.telemetry_default partition of public.telemetry default;
comment on table public.telemetry is 'Raw readings; daily partitions by UTC day live in schema ec';
comment on column public.telemetry.ts is 'Device time, or the arrival in microseconds when the packet carries none';

-- Roll-ups hold one row per device, bucket and tenure. The arrays run in parallel: sums[3] belongs to keys[3].
-- Arrays, because a chart unfolds thousands of them: four times faster than the same numbers in jsonb.
create table public.rollups_1m (
  device_num int not null,
  bucket timestamptz not null,
  tenure_id int not null,
  org_num int not null,
  keys text[] not null,
  counts int[] not null,
  mins float8[] not null,
  maxs float8[] not null,
  sums float8[] not null,
  primary key (device_num, bucket, tenure_id)
) partition by range (bucket);
create table ec.rollups_1m_default partition of public.rollups_1m default;

create table public.rollups_5m (
  device_num int not null,
  bucket timestamptz not null,
  tenure_id int not null,
  org_num int not null,
  keys text[] not null,
  counts int[] not null,
  mins float8[] not null,
  maxs float8[] not null,
  sums float8[] not null,
  primary key (device_num, bucket, tenure_id)
) partition by range (bucket);
create table ec.rollups_5m_default partition of public.rollups_5m default;

create table public.rollups_15m (
  device_num int not null,
  bucket timestamptz not null,
  tenure_id int not null,
  org_num int not null,
  keys text[] not null,
  counts int[] not null,
  mins float8[] not null,
  maxs float8[] not null,
  sums float8[] not null,
  primary key (device_num, bucket, tenure_id)
) partition by range (bucket);
create table ec.rollups_15m_default partition of public.rollups_15m default;

create table public.rollups_1h (
  device_num int not null,
  bucket timestamptz not null,
  tenure_id int not null,
  org_num int not null,
  keys text[] not null,
  counts int[] not null,
  mins float8[] not null,
  maxs float8[] not null,
  sums float8[] not null,
  primary key (device_num, bucket, tenure_id)
);

create table public.rollups_1d (
  device_num int not null,
  bucket timestamptz not null,
  tenure_id int not null,
  org_num int not null,
  keys text[] not null,
  counts int[] not null,
  mins float8[] not null,
  maxs float8[] not null,
  sums float8[] not null,
  primary key (device_num, bucket, tenure_id)
);
comment on table public.rollups_1d is 'bucket = the start of the day in the time zone of the org that held the device';

-- Half-filled pages and no index on what every packet changes: updates stay on their page (HOT).
create table public.device_state (
  device_num int primary key,
  device_id uuid not null unique references public.devices (id) on delete cascade,
  serial text not null unique,
  org_num int not null,
  tenure_id int not null,
  tenure_started_at timestamptz not null default '-infinity',
  product_type text not null,
  reported jsonb not null default '{}',
  reported_at timestamptz,
  older jsonb not null default '{}',
  packet_keys text[] not null default '{}',
  reported_version bigint not null default 0,
  last_seen timestamptz,
  last_telemetry_at timestamptz,
  last_door text,
  connected bool not null default false,
  connected_changed_at timestamptz,
  active bool not null default false,
  offline_alerted_at timestamptz,
  last_seq bigint,
  w_temp float8[] not null default '{}',
  w_hum float8[] not null default '{}',
  w_co2 float8[] not null default '{}',
  w_bat float8[] not null default '{}',
  s_temp float8 not null default 0,
  s_hum float8 not null default 0,
  s_co2 float8 not null default 0,
  s_bat float8 not null default 0
) with (fillfactor = 50);
create index device_state_org_num_idx on public.device_state (org_num);
create index device_state_tenure_id_idx on public.device_state (tenure_id);
comment on column public.device_state.tenure_started_at is
  'Start of tenure_id, −infinity for the first: readings from before belong to an earlier tenure';
comment on column public.device_state.older is 'Key → time, only for reported keys absent from the newest packet';
comment on column public.device_state.packet_keys is
  'The keys of reported that are not in older: a packet with the same keys needs no comparison key by key';
comment on column public.device_state.last_seen is 'Arrival of the last accepted message by any door';
comment on column public.device_state.connected is 'Broker session; says nothing about telemetry';
comment on column public.device_state.w_temp is 'The last readings of the metric, oldest first, at most 29; s_temp their sum';

create table public.deviations (
  id bigint generated always as identity primary key,
  device_num int not null,
  org_num int not null,
  tenure_id int not null,
  metric text not null,
  ts timestamptz not null,
  value float8 not null,
  mean float8 not null,
  pct float8 not null,
  handled_at timestamptz
);
create index deviations_unhandled_idx on public.deviations (id) where handled_at is null;
create index deviations_org_num_idx on public.deviations (org_num, ts);
comment on table public.deviations is 'Readings far from the mean of their own preceding 29; cron turns them into anomalies';

create table public.dead_letters (
  id bigint generated always as identity primary key,
  org_id uuid references public.orgs (id),
  device_id uuid references public.devices (id) on delete set null,
  serial text,
  door text not null,
  reason text not null,
  detail text,
  payload text,
  payload_bytes int not null default 0,
  received_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  constraint door_is_known check (door in ('mqtt', 'https')),
  constraint payload_is_cut check (octet_length(payload) <= 8192)
);
create index dead_letters_org_id_idx on public.dead_letters (org_id, id desc);
create index dead_letters_device_id_idx on public.dead_letters (device_id, id desc);
comment on table public.dead_letters is 'Packets that were refused, and why; org_id is null for unknown serials';

alter table public.telemetry enable row level security;
alter table public.rollups_1m enable row level security;
alter table public.rollups_5m enable row level security;
alter table public.rollups_15m enable row level security;
alter table public.rollups_1h enable row level security;
alter table public.rollups_1d enable row level security;
alter table public.device_state enable row level security;
alter table public.deviations enable row level security;
alter table public.dead_letters enable row level security;
-- Partitions are read through their parents only.
alter table ec.telemetry_default enable row level security;
alter table ec.rollups_1m_default enable row level security;
alter table ec.rollups_5m_default enable row level security;
alter table ec.rollups_15m_default enable row level security;
