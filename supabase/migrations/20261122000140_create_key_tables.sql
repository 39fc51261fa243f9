-- The two kinds of key an org hands out: API keys act for the org within their scopes, provisioning keys
-- ship in firmware and can only register devices.

create table public.api_keys (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  name text not null,
  prefix text not null,
  key_sha256 bytea not null unique,
  scopes text[] not null,
  created_by uuid references public.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint name_is_valid check (length(btrim(name)) between 1 and 200),
  constraint prefix_is_short check (length(prefix) between 8 and 24),
  constraint key_sha256_is_a_sha256 check (length(key_sha256) = 32),
  constraint scopes_are_known check (cardinality(scopes) > 0 and scopes <@ array['read', 'write', 'ota', 'provision'])
);
create index api_keys_org_id_idx on public.api_keys (org_id);
create index api_keys_created_by_idx on public.api_keys (created_by);
comment on column public.api_keys.prefix is 'First characters of the key, to recognise it by';

create table public.provisioning_keys (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  product_type text not null references public.product_types (key),
  name text not null,
  mode text not null default 'known',
  serial_prefix text,
  max_count int,
  used_count int not null default 0,
  prefix text not null,
  key_sha256 bytea not null unique,
  created_by uuid references public.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint name_is_valid check (length(btrim(name)) between 1 and 200),
  constraint mode_is_known check (mode in ('known', 'new')),
  constraint new_serials_are_bounded
    check (mode <> 'new' or num_nonnulls(serial_prefix, max_count, expires_at) = 3),
  constraint serial_prefix_is_valid check (serial_prefix ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'),
  constraint max_count_is_positive check (max_count > 0),
  constraint used_count_fits check (used_count between 0 and coalesce(max_count, used_count)),
  constraint prefix_is_short check (length(prefix) between 8 and 24),
  constraint key_sha256_is_a_sha256 check (length(key_sha256) = 32)
);
create index provisioning_keys_org_id_idx on public.provisioning_keys (org_id);
create index provisioning_keys_product_type_idx on public.provisioning_keys (product_type);
create index provisioning_keys_created_by_idx on public.provisioning_keys (created_by);
comment on column public.provisioning_keys.mode is
  'known = only serials the org registered before; new = also new ones within prefix, count and expiry';

alter table public.api_keys enable row level security;
alter table public.provisioning_keys enable row level security;
