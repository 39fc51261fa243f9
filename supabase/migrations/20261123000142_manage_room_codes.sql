-- Showing, renewing and ending a room's code. Ending a code leaves those who live there, unless asked.

create function private.move_out_tenants(room public.locations) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  moved int;
begin
  update public.memberships m set ended_at = now()
  where m.org_id = room.org_id and m.location_id = room.id and m.role = 'tenant' and m.ended_at is null;
  get diagnostics moved = row_count;
  if moved > 0 then
    perform private.write_audit('tenants_moved_out', 'location', room.id::text, room.org_id, jsonb_build_object('tenants', moved));
  end if;
  return moved;
end
$$;

create function ec.room_code(room_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  room public.locations := private.require_room(room_id, 'invite');
begin
  return private.room_code_json(room.id);
end
$$;
comment on function ec.room_code(uuid) is
  '{room_id, code, created_at, expires_at, version}; code null = there is none. EC403, EC404';

create function ec.rotate_room_code(room_id uuid, expires_at timestamptz default null, end_tenants bool default false) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  room public.locations := private.require_room(room_id, 'invite');
begin
  if rotate_room_code.expires_at <= now() then
    perform private.refuse('EC400', 'invalid_request', 'expires_at lies in the past.');
  end if;
  perform private.end_room_code(room.id, 'rotated');
  perform private.new_room_code(room, rotate_room_code.expires_at);
  if end_tenants then
    perform private.move_out_tenants(room);
  end if;
  return private.room_code_json(room.id);
end
$$;
comment on function ec.rotate_room_code(uuid, timestamptz, bool) is
  'The code before ends at once → as ec.room_code(). end_tenants also moves everybody out. EC400, EC403, EC404';

create function ec.revoke_room_code(room_id uuid, end_tenants bool default false) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  room public.locations := private.require_room(room_id, 'invite');
begin
  if exists (select from public.room_codes c where c.location_id = room.id and c.revoked_at is null) then
    perform private.end_room_code(room.id, 'revoked');
    perform private.write_audit('room_code_revoked', 'location', room.id::text, room.org_id);
  end if;
  if end_tenants then
    perform private.move_out_tenants(room);
  end if;
end
$$;
comment on function ec.revoke_room_code(uuid, bool) is 'Nobody can move in by QR any more; repeating it changes nothing. EC403, EC404';

create function ec.list_room_codes(org_id uuid, room_ids uuid[]) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  room public.locations;
  known int;
begin
  perform private.require_org(list_room_codes.org_id, 'invite');
  if coalesce(cardinality(room_ids), 0) not between 1 and 200 then
    perform private.refuse('EC400', 'invalid_request', 'Ask for 1 to 200 rooms in one call.');
  end if;
  select count(*) into known from public.locations l
  where l.id = any (room_ids) and l.org_id = list_room_codes.org_id and l.type = 'room';
  if known < (select count(distinct r) from unnest(room_ids) r) then
    perform private.refuse_missing();
  end if;
  for room in select l.* from public.locations l where l.id = any (room_ids) order by l.id for no key update loop
    if private.room_code_json(room.id) ->> 'code' is null then
      perform private.end_room_code(room.id, 'rotated');
      perform private.new_room_code(room, null);
    end if;
  end loop;
  return (
    select jsonb_agg(jsonb_build_object('room_id', l.id, 'name', l.name,
      'path', nullif(private.location_path(l.id, ' · '), l.name)) || (private.room_code_json(l.id) - 'room_id') order by r.n)
    from unnest(room_ids) with ordinality r (id, n) join public.locations l on l.id = r.id
  );
end
$$;
comment on function ec.list_room_codes(uuid, uuid[]) is
  'For sheets: [{room_id, name, path, code, created_at, expires_at, version}] in the order asked; rooms without a code get one. EC400, EC403, EC404';

grant execute on function
  ec.room_code(uuid), ec.rotate_room_code(uuid, timestamptz, bool), ec.revoke_room_code(uuid, bool),
  ec.list_room_codes(uuid, uuid[])
to authenticated;
