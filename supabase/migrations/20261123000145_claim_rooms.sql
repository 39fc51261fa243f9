-- Scanning the QR of a room makes a person its tenant.

create function private.membership_json(membership_id uuid) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'id', m.id, 'role', m.role, 'partner_id', m.partner_id, 'partner_name', p.name,
    'org_id', m.org_id, 'org_name', o.name, 'org_slug', o.slug, 'location_id', m.location_id, 'location_name', l.name)
  from public.memberships m
  left join public.partners p on p.id = m.partner_id
  left join public.orgs o on o.id = m.org_id
  left join public.locations l on l.id = m.location_id
  where m.id = membership_json.membership_id
$$;

-- GUARD: a live code of this room. The share lock makes a renewal wait for those who just move in.
create function private.require_room_code(room_id uuid, code text) returns public.locations
language plpgsql security definer
set search_path = ''
as $$
declare
  held public.room_codes;
  room public.locations;
begin
  select c.* into held from public.room_codes c
  where c.location_id = require_room_code.room_id
    and c.code_sha256 = sha256(convert_to(private.plain_room_code(require_room_code.code), 'UTF8'))
  for share;
  if held.id is null then
    perform private.refuse_missing();
  elsif held.ended_reason is not null then
    perform private.refuse('EC410', 'expired', 'This code was replaced or taken back. Use the newest sheet of the room, or ask for one.',
      jsonb_build_object('reason', held.ended_reason));
  elsif held.expires_at <= now() then
    perform private.refuse('EC410', 'expired', 'This code has expired. Ask for a new one.', '{"reason": "expired"}');
  end if;
  select l.* into strict room from public.locations l where l.id = held.location_id;
  return room;
end
$$;

create function ec.preview_room(room_id uuid, code text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  room public.locations := private.require_room_code(room_id, code);
begin
  return jsonb_build_object('room', jsonb_build_object('id', room.id, 'name', room.name), 'org', private.org_face(room.org_id));
end
$$;
comment on function ec.preview_room(uuid, text) is
  'Signed in or not, whoever has the code → {room: {id, name}, org}. EC404, EC410 expired {reason}';

create function ec.claim_room(room_id uuid, code text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  me uuid := private.my_user_id();
  room public.locations;
  membership uuid;
  repeated bool := false;
begin
  if me is null then
    perform private.refuse('EC403', 'forbidden', 'A person moves into a room: sign in.');
  end if;
  perform ec.ensure_profile();
  room := private.require_room_code(claim_room.room_id, claim_room.code);
  insert into public.memberships (user_id, role, org_id, location_id) values (me, 'tenant', room.org_id, room.id)
  on conflict do nothing returning id into membership;
  if membership is null then
    repeated := true;
    select m.id into strict membership from public.memberships m
    where m.user_id = me and m.role = 'tenant' and m.location_id = room.id and m.ended_at is null;
  else
    perform private.write_audit('room_claimed', 'location', room.id::text, room.org_id, null, jsonb_build_object('membership_id', membership));
  end if;
  return jsonb_build_object('membership', private.membership_json(membership), 'repeated', repeated);
end
$$;
comment on function ec.claim_room(uuid, text) is
  'The person becomes the room''s tenant → {membership, repeated}. EC403, EC404, EC410 expired {reason}';

grant execute on function ec.preview_room(uuid, text), ec.claim_room(uuid, text) to authenticated;
