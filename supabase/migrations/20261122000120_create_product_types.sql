-- Product types and their metrics are data: a new product needs no code.

create table public.product_types (
  key text primary key,
  name text not null,
  maker_org_id uuid references public.orgs (id),
  online_window_s int not null default 300,
  telemetry_interval_s int not null default 5,
  controllable_keys text[] not null default '{}',
  ota_public_key text,
  created_at timestamptz not null default now(),
  constraint key_is_valid check (key ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'),
  constraint online_window_is_sane check (online_window_s between 5 and 2592000),
  constraint telemetry_interval_is_sane check (telemetry_interval_s between 1 and 86400)
);
create index product_types_maker_org_id_idx on public.product_types (maker_org_id);
comment on column public.product_types.maker_org_id is 'Null = everybody may register devices of it';
comment on column public.product_types.online_window_s is 'Seconds of silence after which a device counts as offline';
comment on column public.product_types.controllable_keys is 'Desired keys a customer may set';
comment on column public.product_types.ota_public_key is 'Ed25519 public key firmware of this type is signed with, base64';

alter table public.orgs
  add foreign key (product) references public.product_types (key);
create index orgs_product_idx on public.orgs (product);

create table public.metric_definitions (
  product_type text not null references public.product_types (key) on delete cascade,
  key text not null,
  label text not null,
  unit text not null default '',
  decimals int not null default 0,
  min_value float8,
  max_value float8,
  watched bool not null default false,
  min_deviation float8,
  min_denominator float8,
  sort int not null default 100,
  chart bool not null default true,
  primary key (product_type, key),
  constraint key_is_valid check (key ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'),
  constraint decimals_are_sane check (decimals between 0 and 9),
  constraint range_is_ordered check (min_value < max_value),
  constraint watched_metrics_have_floors
    check (not watched or (key in ('temp', 'hum', 'co2', 'bat') and min_deviation > 0 and min_denominator > 0))
);
comment on column public.metric_definitions.watched is 'Compared with its own last 29 readings at ingest';
comment on column public.metric_definitions.min_deviation is 'Smaller absolute deviations are never reported (metric''s unit)';
comment on column public.metric_definitions.min_denominator is 'Floor of |mean| in the percentage (metric''s unit)';

alter table public.product_types enable row level security;
alter table public.metric_definitions enable row level security;

insert into public.product_types (key, name, online_window_s, telemetry_interval_s, controllable_keys) values
  ('EC-CLIMATE-V1', 'Climate node', 300, 5, '{relay,setpoint}'),
  ('tracker', 'GSM tracker', 300, 5, '{}');

insert into public.metric_definitions
  (product_type, key, label, unit, decimals, min_value, max_value, watched, min_deviation, min_denominator, sort, chart)
values
  ('EC-CLIMATE-V1', 'temp', 'Temperature', '°C', 1, -40, 85, true, 2, 10, 10, true),
  ('EC-CLIMATE-V1', 'hum', 'Humidity', '%', 0, 0, 100, true, 5, 20, 20, true),
  ('EC-CLIMATE-V1', 'co2', 'CO₂', 'ppm', 0, 0, 10000, true, 100, 400, 30, true),
  ('EC-CLIMATE-V1', 'bat', 'Battery', 'V', 2, 0, 6, true, 0.2, 3, 40, true),
  ('EC-CLIMATE-V1', 'signal', 'Signal', 'dBm', 0, -130, 0, false, null, null, 50, true),
  ('EC-CLIMATE-V1', 'relay', 'Relay', '', 0, null, null, false, null, null, 60, false),
  ('EC-CLIMATE-V1', 'heap', 'Free heap', 'B', 0, 0, null, false, null, null, 70, true),
  ('EC-CLIMATE-V1', 'uptime', 'Uptime', 's', 0, 0, null, false, null, null, 80, false),
  ('tracker', 'bat', 'Battery', 'V', 2, 0, 6, true, 0.2, 3, 10, true),
  ('tracker', 'signal', 'Signal', 'dBm', 0, -130, 0, false, null, null, 20, true),
  ('tracker', 'temp', 'Temperature', '°C', 1, -40, 85, true, 2, 10, 30, true),
  ('tracker', 'speed', 'Speed', 'km/h', 0, 0, 300, false, null, null, 40, true),
  ('tracker', 'lat', 'Latitude', '°', 5, -90, 90, false, null, null, 50, false),
  ('tracker', 'lon', 'Longitude', '°', 5, -180, 180, false, null, null, 60, false),
  ('tracker', 'sats', 'Satellites', '', 0, 0, 64, false, null, null, 70, true),
  ('tracker', 'ttff', 'Time to first fix', 's', 1, 0, null, false, null, null, 80, false),
  ('tracker', 'heap', 'Free heap', 'B', 0, 0, null, false, null, null, 90, true),
  ('tracker', 'uptime', 'Uptime', 's', 0, 0, null, false, null, null, 100, false);
