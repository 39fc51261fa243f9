-- Who is asking, and what they may do where. The request's claims carry an identity only; every helper reads
-- the rows again, so a revoked key or an ended membership counts at once.
--
-- Claims: a user's verified JWT (`sub`), or `ec_kind` + `ec_id` for an API key, device or provisioning key.
-- Policies call these without arguments inside `(select …)`, so that one query asks once.

-- Those every request needs are plpgsql: its plans stay cached in the connection, those of SQL functions do not.

create function private.claims() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb;
end
$$;

create function private.actor_kind() returns text
language plpgsql stable
set search_path = ''
as $$
declare
  claims jsonb := private.claims();
begin
  return case when claims ? 'ec_kind' then claims ->> 'ec_kind' when claims ? 'sub' then 'user' end;
end
$$;
comment on function private.actor_kind() is 'user, api_key, device, provisioning_key; null = the system itself';

create function private.actor_id() returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  claims jsonb := private.claims();
begin
  return case when claims ? 'ec_kind' then claims ->> 'ec_id' else claims ->> 'sub' end;
end
$$;

create function private.my_user_id() returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return case when private.actor_kind() = 'user' then private.actor_id() end;
end
$$;

create function private.my_memberships() returns setof public.memberships
language plpgsql stable security definer rows 2
set search_path = ''
as $$
declare
  me uuid := private.my_user_id();
begin
  return query select m.* from public.memberships m where m.user_id = me and m.ended_at is null;
end
$$;

create function private.is_admin() returns bool
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return exists (select from private.my_memberships() m where m.role = 'admin');
end
$$;

create function private.my_api_key() returns setof public.api_keys
language plpgsql stable security definer rows 1
set search_path = ''
as $$
declare
  me uuid := case when private.actor_kind() = 'api_key' then private.actor_id() end;
begin
  return query select k.* from public.api_keys k
  where k.id = me and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
end
$$;

create function private.my_provisioning_key() returns setof public.provisioning_keys
language plpgsql stable security definer rows 1
set search_path = ''
as $$
declare
  me uuid := case when private.actor_kind() = 'provisioning_key' then private.actor_id() end;
begin
  return query select k.* from public.provisioning_keys k
  where k.id = me and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
end
$$;

create function private.can(org_id uuid, action text) returns bool
language plpgsql stable security definer
set search_path = ''
as $$
begin
  case private.actor_kind()
    when 'user' then
      return exists (
        select from private.my_memberships() m
        join public.orgs o on o.id = can.org_id
        where case m.role
          when 'admin' then true
          when 'partner' then m.partner_id = o.partner_id
            and can.action in ('read', 'configure', 'invite', 'provision')
          when 'org_admin' then m.org_id = o.id
          when 'operator' then m.org_id = o.id and can.action in ('read', 'control')
          when 'viewer' then m.org_id = o.id and can.action = 'read'
          else false
        end
      );
    when 'api_key' then
      return exists (
        select from private.my_api_key() k
        where k.org_id = can.org_id and case can.action
          when 'read' then 'read' when 'control' then 'write' when 'configure' then 'write'
          when 'ota' then 'ota' when 'provision' then 'provision'
        end = any (k.scopes)
      );
    when 'provisioning_key' then
      return can.action = 'provision'
        and exists (select from private.my_provisioning_key() k where k.org_id = can.org_id);
    else
      return false;
  end case;
end
$$;
comment on function private.can(uuid, text) is
  'action: read, control (desired, commands), configure (settings), invite (hand out access), ota, provision (register)';

create function private.my_org_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  if private.is_admin() then
    return query select o.id from public.orgs o;
    return;
  end if;
  return query
    select o.id from private.my_memberships() m join public.orgs o on o.partner_id = m.partner_id where m.role = 'partner'
    union
    select m.org_id from private.my_memberships() m where m.role in ('org_admin', 'operator', 'viewer')
    union
    select k.org_id from private.my_api_key() k where 'read' = any (k.scopes);
end
$$;
comment on function private.my_org_ids() is 'Orgs the actor may read as a whole';

create function private.my_org_nums() returns setof int
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  return query select o.num from private.my_org_ids() mine join public.orgs o on o.id = mine;
end
$$;

create function private.my_managed_org_ids() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select o.id from public.orgs o where (select private.is_admin())
  union
  select o.id from private.my_memberships() m join public.orgs o on o.partner_id = m.partner_id where m.role = 'partner'
  union
  select m.org_id from private.my_memberships() m where m.role = 'org_admin'
$$;
comment on function private.my_managed_org_ids() is 'Orgs where the actor may see and hand out access (action invite)';

create function private.my_partner_ids() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select p.id from public.partners p where (select private.is_admin())
  union
  select m.partner_id from private.my_memberships() m where m.role = 'partner'
$$;

create function private.my_portal_org_ids() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select m.org_id from private.my_memberships() m where m.role in ('customer', 'tenant')
$$;
comment on function private.my_portal_org_ids() is 'Orgs the actor is a customer or tenant of';

create function private.my_location_ids() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  with recursive mine as (
    select l.id, l.parent_id from private.my_memberships() m
    join public.locations l on l.id = m.location_id where m.role = 'tenant'
    union
    select l.id, l.parent_id from mine join public.locations l on l.id = mine.parent_id
  )
  select id from mine
$$;
comment on function private.my_location_ids() is 'A tenant''s room and what it lies in';

create function private.my_device_ids() returns setof uuid
language plpgsql stable security definer rows 5
set search_path = ''
as $$
begin
  return query
    select d.id from private.my_memberships() m
    join public.devices d on d.org_id = m.org_id and d.location_id = m.location_id where m.role = 'tenant'
    union
    select d.id from private.my_memberships() m
    join public.devices d on d.customer_id = m.user_id and d.org_id = m.org_id where m.role = 'customer';
end
$$;
comment on function private.my_device_ids() is 'Devices in a tenant''s room and devices of a customer';

create function private.my_tenure_ids() returns setof int
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  return query
    select t.id from private.my_memberships() m
    join public.device_tenures t on t.location_id = m.location_id and t.org_id = m.org_id
    where m.role = 'tenant' and t.started_at >= m.created_at
    union
    select t.id from private.my_memberships() m
    join public.device_tenures t on t.customer_id = m.user_id and t.org_id = m.org_id
    where m.role = 'customer' and t.started_at >= m.created_at;
end
$$;
comment on function private.my_tenure_ids() is
  'Tenures a tenant or customer may read: their own room or device, since their own access began';

create function private.my_people_ids() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select p.id from public.profiles p where (select private.is_admin())
  union
  select m.user_id from public.memberships m
  where m.org_id = any (array(select private.my_org_ids())) or m.partner_id = any (array(select private.my_partner_ids()))
$$;

create function private.my_product_types() returns setof text
language sql stable security definer
set search_path = ''
as $$
  select p.key from public.product_types p
  where p.maker_org_id is null
    or p.maker_org_id = any (array(select private.my_org_ids()))
    or exists (
      select from public.devices d
      where d.product_type = p.key and d.org_id = any (array(select private.my_org_ids()))
    )
    or p.key in (select d.product_type from public.devices d where d.id = any (array(select private.my_device_ids())))
$$;
comment on function private.my_product_types() is 'Types open to everybody, of the actor''s orgs, or of devices they see';

grant execute on all functions in schema private to authenticated;
