-- Every read asks which orgs are the actor's. A chart of a week reads some forty pages, so the answer has to cost
-- two or three: the memberships are read once, and a plan is made once per connection, not at each of the first calls.

create function private.my_reach(out everything bool, out org_ids uuid[], out partner_ids uuid[])
language plpgsql stable security definer
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.actor_id();
begin
  case private.actor_kind()
    when 'user' then
      select
        coalesce(bool_or(m.role = 'admin'), false),
        coalesce(array_agg(m.org_id) filter (where m.role in ('org_admin', 'operator', 'viewer')), '{}'),
        coalesce(array_agg(m.partner_id) filter (where m.role = 'partner'), '{}')
      into everything, org_ids, partner_ids
      from public.memberships m where m.user_id = me and m.ended_at is null;
    when 'api_key' then
      select false, coalesce(array_agg(k.org_id), '{}'), '{}'::uuid[] into everything, org_ids, partner_ids
      from public.api_keys k
      where k.id = me and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and 'read' = any (k.scopes);
    else
      everything := false;
      org_ids := '{}';
      partner_ids := '{}';
  end case;
end
$$;
comment on function private.my_reach() is 'What the actor may read as a whole: all orgs, some, or those of some partners';

create or replace function private.my_org_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  reach record;
begin
  select * into reach from private.my_reach();
  if reach.everything then
    return query select o.id from public.orgs o;
  elsif reach.partner_ids = '{}' then
    return query select distinct i from unnest(reach.org_ids) i;
  else
    return query select o.id from public.orgs o where o.partner_id = any (reach.partner_ids)
      union select unnest(reach.org_ids);
  end if;
end
$$;

create or replace function private.my_org_nums() returns setof int
language plpgsql stable security definer rows 10
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  reach record;
begin
  select * into reach from private.my_reach();
  if reach.everything then
    return query select o.num from public.orgs o;
  elsif reach.partner_ids = '{}' then
    return query select o.num from public.orgs o where o.id = any (reach.org_ids);
  else
    return query select o.num from public.orgs o where o.partner_id = any (reach.partner_ids)
      union select o.num from public.orgs o where o.id = any (reach.org_ids);
  end if;
end
$$;

grant execute on function private.my_reach() to authenticated;
