-- Claim codes say why they ended, so that everybody who scans an old sticker learns what happened.

alter table public.claim_codes
  add column ended_reason text,
  add column used_by uuid references public.profiles (id) on delete set null,
  add constraint ended_reason_is_known
    check (ended_reason in ('used', 'reissued', 'transferred', 'unclaimed', 'retired'));
create index claim_codes_used_by_idx on public.claim_codes (used_by) where used_by is not null;
comment on column public.claim_codes.ended_reason is 'Null = may be used, unless it expired';

update public.claim_codes c set ended_reason = case
  when d.lifecycle = 'retired' then 'retired' when c.used_at is not null then 'used'
  when d.org_id <> d.maker_org_id then 'transferred' else 'reissued' end
from public.devices d
where d.id = c.device_id and (c.used_at is not null or c.revoked_at is not null);

alter table public.claim_codes add constraint ended_codes_have_a_reason
  check ((ended_reason is not null) = (used_at is not null or revoked_at is not null));
grant select (ended_reason, used_by) on public.claim_codes to authenticated, service_role;

create function private.claim_state(ended_reason text, expires_at timestamptz) returns text
language sql stable
set search_path = ''
as $$
  select case when ended_reason is not null then ended_reason when expires_at <= now() then 'expired' else 'claimable' end
$$;
grant execute on function private.claim_state(text, timestamptz) to authenticated;

create function private.end_claim_codes(device_id uuid, reason text) returns void
language sql security definer
set search_path = ''
as $$
  update public.claim_codes c set
    revoked_at = case when c.used_at is null then coalesce(c.revoked_at, now()) else c.revoked_at end,
    ended_reason = reason
  where c.device_id = end_claim_codes.device_id and coalesce(c.ended_reason, 'used') = 'used'
$$;
comment on function private.end_claim_codes(uuid, text) is 'A code tells why it no longer works, a used one too';

create or replace function private.replace_claim_code(device_id uuid, code_sha256 bytea) returns void
language sql security definer
set search_path = ''
as $$
  select private.end_claim_codes(device_id, 'reissued');
  insert into public.claim_codes (device_id, code_sha256) values (device_id, code_sha256)
$$;

-- What a page may show of an org before anybody signed in.
create function private.org_face(org_id uuid) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object('name', o.name, 'slug', o.slug, 'brand', o.brand) from public.orgs o where o.id = org_face.org_id
$$;

-- A provisioning key ships in firmware and may only register, whatever else its action stands for.
create or replace function private.lock_device(serial text, action text) returns public.devices
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
begin
  select d.* into device from public.devices d where d.serial = lock_device.serial for update;
  if private.can(device.org_id, action) then
    if private.actor_kind() = 'provisioning_key' then
      perform private.refuse('EC403', 'forbidden', 'A provisioning key only registers devices.');
    end if;
    return device;
  end if;
  if device.id = any (array(select private.my_device_ids())) then
    perform private.refuse('EC403', 'forbidden', 'You may read this device but not change it.');
  end if;
  perform private.require_org(device.org_id, action);
  return device;
end
$$;

create function ec.reissue_claim_code(serial text, code_sha256 bytea, expires_at timestamptz default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  code public.claim_codes;
begin
  device := private.lock_device(reissue_claim_code.serial, 'provision');
  if device.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  elsif reissue_claim_code.expires_at <= now() then
    perform private.refuse('EC400', 'invalid_request', 'expires_at lies in the past.');
  end if;
  perform private.end_claim_codes(device.id, 'reissued');
  insert into public.claim_codes (device_id, code_sha256, expires_at)
  values (device.id, reissue_claim_code.code_sha256, reissue_claim_code.expires_at)
  returning * into code;
  perform private.write_audit('claim_code_reissued', 'device', device.serial, device.org_id, null,
    jsonb_build_object('expires_at', code.expires_at));
  return jsonb_build_object('serial', device.serial, 'created_at', code.created_at, 'expires_at', code.expires_at);
end
$$;
comment on function ec.reissue_claim_code(text, bytea, timestamptz) is
  'A new code; all earlier ones end → {serial, created_at, expires_at}. EC400, EC403, EC404, EC409 conflict (retired)';

-- GUARD for reading: missing for strangers, forbidden for those who see the device in a room or portal.
create function private.require_device(serial text, action text) returns public.devices
language plpgsql stable security definer
set search_path = ''
as $$
declare
  device public.devices;
begin
  select d.* into device from public.devices d where d.serial = require_device.serial;
  if not private.can(device.org_id, action) and device.id = any (array(select private.my_device_ids())) then
    perform private.refuse('EC403', 'forbidden', 'You may see this device but not this part of it.');
  end if;
  perform private.require_org(device.org_id, action);
  return device;
end
$$;

create function ec.read_claim_code(serial text) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  device public.devices := private.require_device(serial, 'read');
begin
  return coalesce(
    (
      select jsonb_build_object('state', private.claim_state(c.ended_reason, c.expires_at), 'created_at', c.created_at,
        'expires_at', c.expires_at, 'used_at', c.used_at)
      from public.claim_codes c where c.device_id = device.id order by c.created_at desc, c.ended_reason is null desc, c.id limit 1
    ),
    '{"state": "none", "created_at": null, "expires_at": null, "used_at": null}');
end
$$;
comment on function ec.read_claim_code(text) is
  'Of the newest code: {state, created_at, expires_at, used_at}; state none when there never was one. EC403, EC404';

grant execute on function ec.reissue_claim_code(text, bytea, timestamptz), ec.read_claim_code(text) to authenticated;
