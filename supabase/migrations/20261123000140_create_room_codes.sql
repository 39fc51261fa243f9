-- The code in a room's QR. Derived from a key in Vault, never stored, so a sheet can be printed again; a new row is a
-- new code.

create table public.room_codes (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  location_id uuid not null,
  version int not null,
  code_sha256 bytea not null,
  created_by uuid references public.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  ended_reason text,
  constraint code_sha256_is_a_sha256 check (length(code_sha256) = 32),
  constraint ended_reason_is_known check (ended_reason in ('rotated', 'revoked')),
  constraint ended_codes_have_a_reason check ((ended_reason is null) = (revoked_at is null)),
  unique (location_id, version),
  foreign key (org_id, location_id) references public.locations (org_id, id) on delete cascade
);
create unique index room_codes_are_live_once_per_room on public.room_codes (location_id) where revoked_at is null;
create index room_codes_org_id_idx on public.room_codes (org_id, location_id);
create index room_codes_created_by_idx on public.room_codes (created_by);
comment on column public.room_codes.version is 'Counts the codes a room has had';

alter table public.room_codes enable row level security;
create policy room_codes_select on public.room_codes for select to authenticated
  using (org_id = any (array(select private.my_managed_org_ids())));
grant select (id, org_id, location_id, version, created_by, created_at, expires_at, revoked_at, ended_reason)
  on public.room_codes to authenticated, service_role;

create function private.room_code_key() returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  key text;
begin
  select s.decrypted_secret into key from vault.decrypted_secrets s where s.name = 'ec_room_code_key';
  if key is null then
    perform pg_advisory_xact_lock(hashtextextended('private.room_code_key', 0));
    select s.decrypted_secret into key from vault.decrypted_secrets s where s.name = 'ec_room_code_key';
  end if;
  if key is null then
    key := encode(extensions.gen_random_bytes(32), 'hex');
    perform vault.create_secret(key, 'ec_room_code_key', 'Codes of rooms are derived from it');
  end if;
  return key;
end
$$;

-- 80 bits as 16 characters of Crockford's alphabet: no I, L, O, U.
create function private.room_code_text(location_id uuid, code_id uuid) returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  mac bytea := extensions.hmac(format('%s:%s', location_id, code_id), private.room_code_key(), 'sha256');
  bits bit(80) := ('x' || encode(substr(mac, 1, 10), 'hex'))::bit(80);
begin
  return (
    select string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substring(bits from n * 5 + 1 for 5)::bit(5)::int + 1, 1), '' order by n)
    from generate_series(0, 15) n
  );
end
$$;

-- As people type: small letters, gaps and dashes, O for 0, I and L for 1.
create function private.plain_room_code(code text) returns text
language sql immutable
set search_path = ''
as $$
  select translate(upper(regexp_replace(code, '[\s-]', '', 'g')), 'OIL', '011')
$$;

create function private.require_room(room_id uuid, action text) returns public.locations
language plpgsql security definer
set search_path = ''
as $$
declare
  room public.locations;
begin
  select l.* into room from public.locations l where l.id = require_room.room_id and l.type = 'room' for no key update;
  if room.id = any (array(select private.my_location_ids())) and not private.can(room.org_id, action) then
    perform private.refuse('EC403', 'forbidden', 'You may see this room but not hand out access to it.');
  end if;
  perform private.require_org(room.org_id, action);
  return room;
end
$$;
comment on function private.require_room(uuid, text) is 'The room, locked until commit, when the actor may do the action';

create function private.new_room_code(room public.locations, expires_at timestamptz) returns public.room_codes
language plpgsql security definer
set search_path = ''
as $$
declare
  code_id uuid := gen_random_uuid();
  code public.room_codes;
begin
  insert into public.room_codes (id, org_id, location_id, version, code_sha256, created_by, expires_at)
  values (
    code_id, room.org_id, room.id,
    1 + coalesce((select max(c.version) from public.room_codes c where c.location_id = room.id), 0),
    sha256(convert_to(private.room_code_text(room.id, code_id), 'UTF8')), private.my_user_id(), new_room_code.expires_at)
  returning * into code;
  perform private.write_audit('room_code_issued', 'location', room.id::text, room.org_id, null,
    jsonb_build_object('version', code.version, 'expires_at', code.expires_at));
  return code;
end
$$;

create function private.end_room_code(room_id uuid, reason text) returns void
language sql security definer
set search_path = ''
as $$
  update public.room_codes c set revoked_at = now(), ended_reason = reason
  where c.location_id = room_id and c.revoked_at is null
$$;

create function private.room_code_json(room_id uuid) returns jsonb
language sql security definer
set search_path = ''
as $$
  select jsonb_build_object('room_id', room_id, 'version', coalesce(max(c.version), 0)) || coalesce(
    (
      select jsonb_build_object('code', private.room_code_text(l.location_id, l.id), 'created_at', l.created_at, 'expires_at', l.expires_at)
      from public.room_codes l where l.location_id = room_id and l.revoked_at is null and (l.expires_at is null or l.expires_at > now())
    ),
    '{"code": null, "created_at": null, "expires_at": null}')
  from public.room_codes c where c.location_id = room_id
$$;
