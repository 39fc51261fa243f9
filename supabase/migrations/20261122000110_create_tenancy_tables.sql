-- Partner → org → location tree, people and what they may do where.

create table public.partners (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  slug text not null unique,
  contact_email text,
  plan text not null default 'starter',
  created_at timestamptz not null default now(),
  constraint name_is_valid check (length(btrim(name)) between 1 and 200),
  constraint slug_is_valid check (slug ~ '^[a-z0-9](-?[a-z0-9]){0,62}$'),
  constraint contact_email_is_valid check (contact_email ~ '^[^@\s]+@[^@\s]+$'),
  constraint plan_is_known check (plan in ('starter', 'pro', 'business', 'enterprise'))
);

create table public.orgs (
  id uuid primary key default gen_random_uuid(),
  num int generated always as identity unique,
  partner_id uuid references public.partners (id),
  name text not null,
  slug text not null unique,
  plan text not null default 'starter',
  product text,
  timezone text not null default 'UTC',
  brand jsonb not null default '{}',
  live_epoch int not null default 1,
  created_at timestamptz not null default now(),
  constraint name_is_valid check (length(btrim(name)) between 1 and 200),
  constraint slug_is_valid check (slug ~ '^[a-z0-9](-?[a-z0-9]){0,62}$'),
  constraint plan_is_known check (plan in ('starter', 'pro', 'business', 'enterprise')),
  constraint brand_is_an_object check (jsonb_typeof(brand) = 'object')
);
create index orgs_partner_id_idx on public.orgs (partner_id);
comment on column public.orgs.num is 'Short key of the org in high-volume tables';
comment on column public.orgs.live_epoch is 'Part of every live topic; raised when somebody loses access';

create table public.locations (
  id uuid primary key default gen_random_uuid(),
  num int generated always as identity unique,
  org_id uuid not null references public.orgs (id),
  parent_id uuid,
  type text not null,
  name text not null,
  timezone text,
  created_at timestamptz not null default now(),
  constraint type_is_known check (type in ('site', 'building', 'floor', 'room')),
  constraint name_is_valid check (length(btrim(name)) between 1 and 200),
  constraint site_has_no_parent check (type <> 'site' or parent_id is null),
  unique (org_id, id),
  -- The pair keeps a tree inside its org.
  foreign key (org_id, parent_id) references public.locations (org_id, id)
);
create unique index locations_name_is_unique_among_siblings
  on public.locations (org_id, parent_id, type, lower(name)) nulls not distinct;
comment on table public.locations is 'Site → building → floor → room, levels may be left out';

create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  email text,
  full_name text,
  preferences jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint preferences_is_an_object check (jsonb_typeof(preferences) = 'object')
);
comment on table public.profiles is 'Made by ec.ensure_profile() at a person''s first request';

create table public.memberships (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.profiles (id) on delete cascade,
  role text not null,
  partner_id uuid references public.partners (id),
  org_id uuid references public.orgs (id),
  location_id uuid,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint role_is_known
    check (role in ('admin', 'partner', 'org_admin', 'operator', 'viewer', 'customer', 'tenant')),
  constraint scope_fits_role check (
    case role
      when 'admin' then num_nonnulls(partner_id, org_id, location_id) = 0
      when 'partner' then partner_id is not null and num_nonnulls(org_id, location_id) = 0
      when 'tenant' then partner_id is null and num_nonnulls(org_id, location_id) = 2
      else org_id is not null and num_nonnulls(partner_id, location_id) = 0
    end
  ),
  foreign key (org_id, location_id) references public.locations (org_id, id)
);
create unique index memberships_are_unique_while_active
  on public.memberships (user_id, role, partner_id, org_id, location_id) nulls not distinct where ended_at is null;
create index memberships_user_id_idx on public.memberships (user_id);
create index memberships_org_id_idx on public.memberships (org_id, location_id);
create index memberships_partner_id_idx on public.memberships (partner_id);
comment on column public.memberships.ended_at is 'Access ends here at once; the row stays as history';

alter table public.partners enable row level security;
alter table public.orgs enable row level security;
alter table public.locations enable row level security;
alter table public.profiles enable row level security;
alter table public.memberships enable row level security;
