-- The location tree: site → building → floor → room. Levels may be left out, never turned around, so the tree
-- has no cycles.

create function private.location_rank(type text) returns int
language sql immutable
set search_path = ''
as $$
  select array_position(array['site', 'building', 'floor', 'room'], type)
$$;

create function private.check_location_order() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  parent_type text;
begin
  select l.type into parent_type from public.locations l where l.id = new.parent_id and l.org_id = new.org_id;
  if new.parent_id is not null and parent_type is null then
    perform private.refuse('EC422', 'unprocessable', 'parent_id is no location of this organisation.');
  end if;
  if private.location_rank(parent_type) >= private.location_rank(new.type) then
    perform private.refuse('EC422', 'unprocessable',
      format('A %s cannot lie in a %s: the order is site, building, floor, room.', new.type, parent_type));
  end if;
  return new;
end
$$;
-- A type never changes, so nothing below a location has to be looked at.
create trigger locations_are_ordered before insert or update of parent_id on public.locations
  for each row execute function private.check_location_order();

create function ec.create_location(org_id uuid, input jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  location public.locations;
begin
  perform private.require_org(create_location.org_id, 'configure');
  perform private.require_keys(input, array['name', 'type', 'parent_id', 'timezone']);
  if input ->> 'timezone' is not null then
    perform private.require_timezone(input ->> 'timezone');
  end if;
  insert into public.locations (org_id, parent_id, type, name, timezone)
  values (create_location.org_id, (input ->> 'parent_id')::uuid, input ->> 'type', input ->> 'name', input ->> 'timezone')
  returning * into location;
  perform private.write_audit('location_created', 'location', location.id::text, location.org_id, null, to_jsonb(location));
  return to_jsonb(location);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'There is one of this name in the same place.');
end
$$;
comment on function ec.create_location(uuid, jsonb) is '{name, type, parent_id?, timezone?} → the location. EC400, EC403, EC404, EC409, EC422';

create function private.find_or_create_location(org_id uuid, parent_id uuid, type text, name text) returns uuid
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  found_id uuid;
begin
  insert into public.locations (org_id, parent_id, type, name)
  values (
    find_or_create_location.org_id, find_or_create_location.parent_id, find_or_create_location.type, find_or_create_location.name)
  on conflict do nothing
  returning id into found_id;
  if found_id is not null then
    perform private.write_audit('location_created', 'location', found_id::text, find_or_create_location.org_id, null,
      jsonb_build_object('type', find_or_create_location.type, 'name', find_or_create_location.name));
    return found_id;
  end if;
  select l.id into strict found_id from public.locations l
  where l.org_id = find_or_create_location.org_id
    and l.parent_id is not distinct from find_or_create_location.parent_id
    and l.type = find_or_create_location.type and lower(l.name) = lower(find_or_create_location.name);
  return found_id;
end
$$;

create function ec.create_room(org_id uuid, input jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  parent uuid;
begin
  perform private.require_org(create_room.org_id, 'configure');
  perform private.require_keys(input, array['name', 'floor', 'building', 'timezone']);
  if input ->> 'building' is not null then
    parent := private.find_or_create_location(create_room.org_id, null, 'building', input ->> 'building');
  end if;
  if input ->> 'floor' is not null then
    parent := private.find_or_create_location(create_room.org_id, parent, 'floor', input ->> 'floor');
  end if;
  return ec.create_location(create_room.org_id, jsonb_build_object(
    'type', 'room', 'name', input -> 'name', 'timezone', input -> 'timezone', 'parent_id', parent));
end
$$;
comment on function ec.create_room(uuid, jsonb) is
  '{name, floor?, building?, timezone?} → the room; building and floor are found by name or made. EC400, EC403, EC404, EC409, EC422';

create function private.require_location(location_id uuid) returns public.locations
language plpgsql security definer
set search_path = ''
as $$
declare
  location public.locations;
begin
  select l.* into location from public.locations l where l.id = require_location.location_id for update;
  if location.id = any (array(select private.my_location_ids())) and not private.can(location.org_id, 'configure') then
    perform private.refuse('EC403', 'forbidden', 'You may see this place but not change it.');
  end if;
  perform private.require_org(location.org_id, 'configure');
  return location;
end
$$;

create function ec.update_location(location_id uuid, patch jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  before public.locations;
  after public.locations;
begin
  before := private.require_location(update_location.location_id);
  perform private.require_keys(patch, array['name', 'parent_id', 'timezone']);
  if patch ->> 'timezone' is not null then
    perform private.require_timezone(patch ->> 'timezone');
  end if;
  update public.locations l set
    name = case when patch ? 'name' then patch ->> 'name' else l.name end,
    timezone = case when patch ? 'timezone' then patch ->> 'timezone' else l.timezone end,
    parent_id = case when patch ? 'parent_id' then (patch ->> 'parent_id')::uuid else l.parent_id end
  where l.id = before.id
  returning l.* into after;
  perform private.write_audit('location_updated', 'location', after.id::text, after.org_id, to_jsonb(before), to_jsonb(after));
  return to_jsonb(after);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'There is one of this name in the same place.');
end
$$;
comment on function ec.update_location(uuid, jsonb) is 'Keys name, parent_id, timezone → the location. EC400, EC403, EC404, EC409, EC422';

create function ec.delete_location(location_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  location public.locations;
begin
  location := private.require_location(delete_location.location_id);
  if exists (select from public.locations l where l.parent_id = location.id) then
    perform private.refuse('EC409', 'conflict', 'There are other places in it. Move or delete them first.');
  elsif exists (select from public.devices d where d.location_id = location.id) then
    perform private.refuse('EC409', 'conflict', 'There are devices in it. Assign them elsewhere first.');
  elsif private.has_tenants(location.id) then
    perform private.refuse('EC409', 'conflict', 'Somebody lives in it. End their tenancy first.');
  end if;
  delete from public.memberships m where m.location_id = location.id;
  delete from public.locations l where l.id = location.id;
  perform private.write_audit('location_deleted', 'location', location.id::text, location.org_id, to_jsonb(location));
end
$$;
comment on function ec.delete_location(uuid) is 'Deletes an empty place. EC403, EC404, EC409 conflict';

grant execute on function
  ec.create_location(uuid, jsonb), ec.create_room(uuid, jsonb), ec.update_location(uuid, jsonb), ec.delete_location(uuid)
to authenticated;
