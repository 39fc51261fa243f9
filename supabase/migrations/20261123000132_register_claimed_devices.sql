-- A device may be claimed before it was ever switched on: its firmware then registers with its maker's provisioning
-- key although another org holds it. The key learns nothing about the holder.

create or replace function ec.register_device(
  serial text, product_type text, fw_version text,
  secret_sha256 bytea, password_hash text, salt text, claim_sha256 bytea, org_id uuid default null
) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  device public.devices;
  org uuid;
  created bool := false;
  revived bool := false;
  elsewhere bool;
  issued bool;
  reply jsonb;
begin
  -- GUARD: only what can become part of a topic is a serial
  if register_device.serial !~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$' then
    perform private.refuse('EC400', 'invalid_request',
      'A serial has 3 to 64 letters, digits, - or _, and starts with a letter or digit.');
  end if;
  select d.* into device from public.devices d where d.serial = register_device.serial for no key update;
  org := private.registering_org(register_device.org_id, device.org_id);

  if device.id is null then
    perform private.check_product_type(register_device.product_type, org);
    if private.actor_kind() = 'provisioning_key' then
      perform private.check_provisioning_key(register_device.serial, register_device.product_type, true);
    end if;
    device := private.create_device(register_device.serial, register_device.product_type, register_device.fw_version, org);
    created := device.id is not null;
    if not created then
      -- Somebody registered it between our look and our insert: now it is a repetition.
      select d.* into strict device from public.devices d where d.serial = register_device.serial for no key update;
    end if;
  end if;

  -- GUARD: another org's serial says only that it is taken
  elsewhere := device.org_id <> org;
  if elsewhere and not (private.actor_kind() = 'provisioning_key' and device.maker_org_id = org) then
    perform private.refuse('EC409', 'serial_taken', 'This serial number is not available.');
  end if;
  if not created then
    if device.product_type <> register_device.product_type then
      perform private.refuse('EC409', 'conflict', format('This serial is registered as %s.', device.product_type));
    end if;
    if private.actor_kind() = 'provisioning_key' then
      perform private.check_provisioning_key(device.serial, device.product_type, false);
    end if;
    if device.lifecycle = 'retired' then
      perform private.revive_device(device);
      revived := true;
    end if;
    -- Firmware that registers at boot knows its version best; a script repeated later does not.
    update public.devices d set fw_version = coalesce(register_device.fw_version, d.fw_version)
    where d.id = device.id and (private.actor_kind() = 'provisioning_key' or d.activated_at is null);
  end if;
  select d.* into strict device from public.devices d where d.id = device.id;

  issued := private.may_issue_secret(device);
  if issued then
    delete from public.device_credentials c where c.device_id = device.id and c.created_at >= device.registered_at;
    perform private.store_secret(device, register_device.secret_sha256, register_device.password_hash, register_device.salt);
    if device.claimed_at is null and register_device.claim_sha256 is not null then
      perform private.replace_claim_code(device.id, register_device.claim_sha256);
    end if;
  end if;
  if created or revived or issued then
    perform private.write_audit(
      case when created then 'device_registered' when revived then 'device_restored' else 'device_secret_reissued' end,
      'device', device.serial, device.org_id, null,
      jsonb_build_object('serial', device.serial, 'product_type', device.product_type));
  end if;
  reply := private.device_json(device);
  if elsewhere then
    reply := reply || jsonb_build_object('org_id', org, 'location_id', null, 'name', null, 'attributes', '{}'::jsonb,
      'tags', '[]'::jsonb, 'claimed_at', null, 'online_window_s', null);
  end if;
  return jsonb_build_object(
    'device', reply, 'created', created, 'issued', issued,
    'claim_issued', issued and device.claimed_at is null and register_device.claim_sha256 is not null);
end
$$;
