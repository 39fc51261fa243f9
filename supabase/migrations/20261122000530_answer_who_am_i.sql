-- Profiles are made at a person's first request: hosted Supabase refuses triggers on auth.users.

create function ec.ensure_profile() returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  profile public.profiles;
begin
  insert into public.profiles as p (id, email, full_name)
  select u.id, u.email, u.raw_user_meta_data ->> 'full_name'
  from auth.users u where u.id = private.my_user_id()
  on conflict (id) do update set email = excluded.email where p.email is distinct from excluded.email;
  select p.* into profile from public.profiles p where p.id = private.my_user_id();
  if profile.id is null then
    perform private.refuse('EC401', 'unauthenticated', 'This account no longer exists.');
  end if;
  return to_jsonb(profile);
end
$$;
comment on function ec.ensure_profile() is 'The actor''s profile, made when missing, its e-mail kept up to date. EC401';

create function ec.me() returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  if private.actor_kind() = 'api_key' then
    return (
      select jsonb_build_object('kind', 'api_key', 'id', k.id, 'name', k.name, 'org_id', k.org_id, 'scopes', k.scopes)
      from private.my_api_key() k
    );
  elsif private.actor_kind() is distinct from 'user' then
    perform private.refuse('EC403', 'forbidden', 'Only people and API keys have an account.');
  end if;
  return ec.ensure_profile() || jsonb_build_object(
    'kind', 'user',
    'memberships', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'id', m.id, 'role', m.role,
        'partner_id', m.partner_id, 'partner_name', p.name,
        'org_id', m.org_id, 'org_name', o.name, 'org_slug', o.slug,
        'location_id', m.location_id, 'location_name', l.name
      ) order by array_position(
        array['admin', 'partner', 'org_admin', 'operator', 'viewer', 'customer', 'tenant'], m.role), m.created_at), '[]')
      from private.my_memberships() m
      left join public.partners p on p.id = m.partner_id
      left join public.orgs o on o.id = m.org_id
      left join public.locations l on l.id = m.location_id
    ));
end
$$;
comment on function ec.me() is
  'A person: profile + live memberships, the widest first; an API key: {kind, id, name, org_id, scopes}. EC401, EC403';

grant execute on function ec.ensure_profile(), ec.me() to authenticated;
