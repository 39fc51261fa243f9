-- Invitations by e-mail: single use, expiring, bound to the address, stored as the token's hash.

create table public.invitations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid references public.orgs (id),
  partner_id uuid references public.partners (id),
  location_id uuid,
  role text not null,
  email text not null,
  token_sha256 bytea not null unique,
  invited_by uuid references public.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days',
  accepted_at timestamptz,
  accepted_by uuid references public.profiles (id) on delete set null,
  membership_id uuid references public.memberships (id) on delete set null,
  revoked_at timestamptz,
  sent_count int not null default 1,
  last_sent_at timestamptz not null default now(),
  constraint email_is_lower_case check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  constraint token_sha256_is_a_sha256 check (length(token_sha256) = 32),
  constraint scope_fits_role check (
    case role
      when 'partner' then partner_id is not null and num_nonnulls(org_id, location_id) = 0
      when 'tenant' then partner_id is null and num_nonnulls(org_id, location_id) = 2
      else role in ('org_admin', 'operator', 'viewer', 'customer')
        and org_id is not null and num_nonnulls(partner_id, location_id) = 0
    end
  ),
  constraint ends_once check (num_nonnulls(accepted_at, revoked_at) <= 1),
  foreign key (org_id, location_id) references public.locations (org_id, id) on delete cascade
);
create unique index invitations_are_open_once on public.invitations (org_id, partner_id, location_id, role, email)
  nulls not distinct where accepted_at is null and revoked_at is null;
create index invitations_org_id_idx on public.invitations (org_id, location_id);
create index invitations_partner_id_idx on public.invitations (partner_id);
create index invitations_invited_by_idx on public.invitations (invited_by);
create index invitations_accepted_by_idx on public.invitations (accepted_by);
create index invitations_membership_id_idx on public.invitations (membership_id);

alter table public.invitations enable row level security;
create policy invitations_select on public.invitations for select to authenticated
  using (
    org_id = any (array(select private.my_managed_org_ids()))
    or partner_id = any (array(select private.my_partner_ids()))
  );
grant select (
  id, org_id, partner_id, location_id, role, email, invited_by, created_at, expires_at, accepted_at, accepted_by,
  membership_id, revoked_at, sent_count, last_sent_at
) on public.invitations to authenticated, service_role;

create function private.invitation_state(accepted_at timestamptz, revoked_at timestamptz, expires_at timestamptz) returns text
language sql stable
set search_path = ''
as $$
  select case when accepted_at is not null then 'accepted' when revoked_at is not null then 'revoked'
    when expires_at <= now() then 'expired' else 'open' end
$$;
grant execute on function private.invitation_state(timestamptz, timestamptz, timestamptz) to authenticated;

create function private.invitation_json(invitation public.invitations) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select to_jsonb(invitation) - array['token_sha256', 'accepted_by', 'membership_id'] || jsonb_build_object(
    'state', private.invitation_state(invitation.accepted_at, invitation.revoked_at, invitation.expires_at),
    'invited_by', (select p.email from public.profiles p where p.id = invitation.invited_by))
$$;

create function private.partner_face(partner_id uuid) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object('name', p.name, 'slug', p.slug, 'brand', '{}'::jsonb)
  from public.partners p where p.id = partner_face.partner_id
$$;
