-- Devices, who keeps them since when, and everything that proves an identity. Credentials we verify are
-- stored as hashes only.

create table public.devices (
  id uuid primary key default gen_random_uuid(),
  num int generated always as identity unique,
  serial text not null unique,
  product_type text not null references public.product_types (key),
  fw_version text,
  lifecycle text not null default 'manufactured',
  maker_org_id uuid not null references public.orgs (id),
  org_id uuid not null references public.orgs (id),
  customer_id uuid references public.profiles (id) on delete set null,
  location_id uuid,
  name text,
  online_window_s int,
  attributes jsonb not null default '{}',
  tags text[] not null default '{}',
  desired jsonb not null default '{}',
  desired_version bigint not null default 0,
  pending_fw_version text,
  pending_fw_url text,
  tenure_id int,
  registered_by_kind text not null,
  registered_by_id uuid not null,
  registered_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default now(),
  claimed_at timestamptz,
  activated_at timestamptz,
  retired_at timestamptz,
  constraint serial_is_valid check (serial ~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$'),
  constraint lifecycle_is_known check (lifecycle in ('manufactured', 'claimed', 'active', 'retired')),
  constraint retired_at_fits_lifecycle check ((lifecycle = 'retired') = (retired_at is not null)),
  constraint fw_version_is_short check (length(fw_version) <= 64),
  constraint name_is_valid check (length(btrim(name)) between 1 and 200),
  constraint online_window_is_sane check (online_window_s between 5 and 2592000),
  constraint attributes_is_an_object check (jsonb_typeof(attributes) = 'object'),
  constraint attributes_are_small check (octet_length(attributes::text) <= 16384),
  constraint desired_is_an_object check (jsonb_typeof(desired) = 'object'),
  foreign key (org_id, location_id) references public.locations (org_id, id)
);
create index devices_org_id_idx on public.devices (org_id, serial);
create index devices_org_id_product_type_idx on public.devices (org_id, product_type);
create index devices_location_id_idx on public.devices (org_id, location_id);
create index devices_customer_id_idx on public.devices (customer_id) where customer_id is not null;
create index devices_product_type_idx on public.devices (product_type);
create index devices_maker_org_id_idx on public.devices (maker_org_id);
create index devices_tags_idx on public.devices using gin (tags);
comment on column public.devices.num is 'Short key of the device in high-volume tables';
comment on column public.devices.org_id is 'Who keeps it now: the maker until claimed_at, then the holder';
comment on column public.devices.tenure_id is 'The open row of device_tenures';
comment on column public.devices.registered_at is 'By the wall clock, like its credentials'' created_at: created, or when a retired device was registered again';
comment on column public.devices.activated_at is 'Its first packet';

create table public.device_tenures (
  id int generated always as identity primary key,
  device_id uuid not null references public.devices (id) on delete cascade,
  device_num int not null,
  org_id uuid not null references public.orgs (id),
  location_id uuid,
  customer_id uuid references public.profiles (id) on delete set null,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  constraint ends_after_start check (ended_at >= started_at)
);
create unique index device_tenures_are_open_once_per_device on public.device_tenures (device_id) where ended_at is null;
create index device_tenures_device_id_idx on public.device_tenures (device_id, started_at);
create index device_tenures_org_id_idx on public.device_tenures (org_id);
create index device_tenures_location_id_idx on public.device_tenures (location_id) where location_id is not null;
create index device_tenures_customer_id_idx on public.device_tenures (customer_id) where customer_id is not null;
comment on table public.device_tenures is
  'A new row whenever holder, room, customer or the room''s tenancy changes; telemetry carries its id';

alter table public.devices
  add foreign key (tenure_id) references public.device_tenures (id) deferrable initially deferred;
create index devices_tenure_id_idx on public.devices (tenure_id);

create table public.device_credentials (
  id uuid primary key default gen_random_uuid(),
  device_id uuid not null references public.devices (id) on delete cascade,
  serial text not null,
  password_hash text not null,
  salt text not null,
  secret_sha256 bytea not null unique,
  issued_by_kind text not null,
  issued_by_id uuid not null,
  created_at timestamptz not null default clock_timestamp(),
  first_used_at timestamptz,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  constraint password_hash_is_mosquitto_pbkdf2 check (password_hash ~ '^\$7\$101\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$'),
  constraint salt_is_12_ascii_characters check (salt ~ '^[\x21-\x7e]{12}$'),
  constraint secret_sha256_is_a_sha256 check (length(secret_sha256) = 32)
);
create index device_credentials_device_id_idx on public.device_credentials (device_id);
create index device_credentials_live_serial_idx on public.device_credentials (serial) where revoked_at is null;
comment on column public.device_credentials.password_hash is
  'Mosquitto''s $7$101$<base64 salt>$<base64 hash>: PBKDF2-SHA512 over the secret, checked by brokers';
comment on column public.device_credentials.secret_sha256 is 'Checked by the HTTPS door; the secret is 256 random bits';
comment on column public.device_credentials.expires_at is 'End of the overlap after a rotation; null = open end';

create table public.claim_codes (
  id uuid primary key default gen_random_uuid(),
  device_id uuid not null references public.devices (id) on delete cascade,
  code_sha256 bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  used_at timestamptz,
  revoked_at timestamptz,
  constraint code_sha256_is_a_sha256 check (length(code_sha256) = 32)
);
create index claim_codes_device_id_idx on public.claim_codes (device_id);
comment on table public.claim_codes is 'The single-use code in a device''s QR; not the device''s secret';

create table public.serial_prefixes (
  prefix text primary key,
  maker_org_id uuid not null references public.orgs (id),
  created_at timestamptz not null default now(),
  constraint prefix_is_valid check (prefix ~ '^[A-Za-z0-9][A-Za-z0-9_-]{1,62}$')
);
create index serial_prefixes_maker_org_id_idx on public.serial_prefixes (maker_org_id);
comment on table public.serial_prefixes is 'Only the maker registers new serials that start so';

alter table public.devices enable row level security;
alter table public.device_tenures enable row level security;
alter table public.device_credentials enable row level security;
alter table public.claim_codes enable row level security;
alter table public.serial_prefixes enable row level security;
