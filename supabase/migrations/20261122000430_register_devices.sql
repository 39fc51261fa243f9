-- Registering. Safe to repeat: the same serial by the same credential is the same device, and its secret is
-- issued again until the device first authenticated, so a lost reply bricks nothing.

create function private.device_json(device public.devices) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'id', device.id, 'serial', device.serial, 'product_type', device.product_type, 'fw_version', device.fw_version,
    'lifecycle', device.lifecycle, 'org_id', device.org_id, 'location_id', device.location_id, 'name', device.name,
    'attributes', device.attributes, 'tags', device.tags, 'online_window_s', device.online_window_s,
    'created_at', device.created_at, 'claimed_at', device.claimed_at, 'retired_at', device.retired_at,
    'telemetry_interval_s', p.telemetry_interval_s, 'ota_public_key', p.ota_public_key
  )
  from public.product_types p where p.key = device.product_type
$$;

-- The org a registration is for: a key's own, or the one a person names, has, or already registered it in.
create function private.registering_org(wanted uuid, existing uuid) returns uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  own uuid;
  candidates uuid[];
begin
  if private.actor_kind() in ('api_key', 'provisioning_key') then
    select k.org_id into own from private.my_api_key() k union all select k.org_id from private.my_provisioning_key() k;
    if own is null then
      perform private.refuse('EC401', 'unauthenticated', 'This key was revoked or has expired.');
    end if;
    wanted := coalesce(wanted, own);
  end if;
  if wanted is null and private.can(existing, 'provision') then
    return existing;
  end if;
  if wanted is null then
    select array_agg(o.id) into candidates
    from public.orgs o where o.id = any (array(select private.my_managed_org_ids())) and private.can(o.id, 'provision');
    if cardinality(candidates) > 1 then
      perform private.refuse('EC400', 'invalid_request', 'You may register for several organisations: say which with org_id.');
    elsif candidates is null then
      perform private.refuse('EC403', 'forbidden', 'You may not register devices for any organisation.');
    end if;
    return candidates[1];
  end if;
  perform private.require_org(wanted, 'provision');
  return wanted;
end
$$;

-- GUARD: what a provisioning key may register. Counts a new device against the key's limit.
create function private.check_provisioning_key(serial text, product_type text, is_new bool) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  key public.provisioning_keys;
begin
  select k.* into key from public.provisioning_keys k
  where k.id = (select mine.id from private.my_provisioning_key() mine) for update;
  if key.product_type <> check_provisioning_key.product_type then
    perform private.refuse('EC403', 'forbidden', format('This key registers devices of type %s only.', key.product_type));
  end if;
  if key.mode = 'new' and not starts_with(serial, key.serial_prefix) then
    perform private.refuse('EC403', 'forbidden', format('This key registers serials starting with %s only.', key.serial_prefix));
  end if;
  if not is_new then
    return;
  end if;
  if key.mode = 'known' then
    perform private.refuse('EC403', 'forbidden', 'This key only registers serials that its organisation registered before.');
  end if;
  update public.provisioning_keys k set used_count = k.used_count + 1 where k.id = key.id and k.used_count < k.max_count;
  if not found then
    perform private.refuse('EC403', 'forbidden', format('This key has registered its %s devices.', key.max_count));
  end if;
end
$$;

create function private.check_product_type(product_type text, org_id uuid) returns void
language plpgsql stable security definer
set search_path = ''
as $$
declare
  known jsonb;
begin
  select jsonb_agg(p.key order by p.key) into known from public.product_types p
  where p.maker_org_id is null or p.maker_org_id = check_product_type.org_id;
  if not coalesce(known ? product_type, false) then
    perform private.refuse('EC422', 'unprocessable',
      format('There is no product type "%s". Known: %s.', product_type, (select string_agg(k, ', ') from jsonb_array_elements_text(known) k)),
      jsonb_build_object('known', known));
  end if;
end
$$;

-- A new row, or null when the serial was taken meanwhile. Plan limits on devices belong here.
create function private.create_device(serial text, product_type text, fw_version text, org_id uuid) returns public.devices
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
begin
  if exists (
    select from public.serial_prefixes r
    where starts_with(create_device.serial, r.prefix) and r.maker_org_id <> create_device.org_id
  ) then
    perform private.refuse('EC409', 'serial_taken', 'This serial number is not available.');
  end if;
  insert into public.devices (serial, product_type, fw_version, maker_org_id, org_id, registered_by_kind, registered_by_id)
  values (serial, product_type, fw_version, org_id, org_id, private.actor_kind(), private.actor_id())
  on conflict on constraint devices_serial_key do nothing
  returning * into device;
  if device.id is not null then
    perform private.start_tenure(device.id, false);
  end if;
  return device;
end
$$;

-- A retired device comes back only by a deliberate act: firmware with a provisioning key cannot do it.
create function private.revive_device(device public.devices) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if private.actor_kind() = 'provisioning_key' then
    perform private.refuse('EC409', 'conflict', 'This device was retired. Somebody of its organisation can register it again.');
  end if;
  update public.devices d set
    lifecycle = case when d.claimed_at is null then 'manufactured' else 'claimed' end, retired_at = null,
    registered_by_kind = private.actor_kind(), registered_by_id = private.actor_id(), registered_at = clock_timestamp()
  where d.id = device.id;
  perform private.start_tenure(device.id, true);
end
$$;

-- Whether a repeated registration gets a new secret: nobody has authenticated since it was registered, and the
-- last secret went to this very credential. The firmware's provisioning key may take over from the factory once.
create function private.may_issue_secret(device public.devices) returns bool
language sql stable security definer
set search_path = ''
as $$
  with issued as (
    select c.* from public.device_credentials c where c.device_id = device.id and c.created_at >= device.registered_at
  )
  select not exists (select from issued where first_used_at is not null) and coalesce(
    (
      select (i.issued_by_kind, i.issued_by_id) = (private.actor_kind(), private.actor_id())
        or private.actor_kind() = 'provisioning_key' and i.issued_by_kind <> 'provisioning_key'
      from issued i order by i.created_at desc limit 1
    ),
    true
  )
$$;
