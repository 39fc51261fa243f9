-- The registering functions themselves. The API makes the secret and its hashes and hands them in; `issued`
-- says whether they were stored, so whether the secret may be shown.

create function private.store_secret(
  device public.devices, secret_sha256 bytea, password_hash text, salt text
) returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
  credential_id uuid;
begin
  insert into public.device_credentials
    (device_id, serial, password_hash, salt, secret_sha256, issued_by_kind, issued_by_id)
  values (device.id, device.serial, password_hash, salt, secret_sha256, private.actor_kind(), private.actor_id())
  returning id into credential_id;
  perform pg_notify('ec_credentials', device.serial);
  return credential_id;
end
$$;

create function private.replace_claim_code(device_id uuid, code_sha256 bytea) returns void
language sql security definer
set search_path = ''
as $$
  update public.claim_codes c set revoked_at = now()
  where c.device_id = replace_claim_code.device_id and c.used_at is null and c.revoked_at is null;
  insert into public.claim_codes (device_id, code_sha256) values (device_id, code_sha256)
$$;

create function ec.register_device(
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
  issued bool;
begin
  -- GUARD: only what can become part of a topic is a serial
  if register_device.serial !~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$' then
    perform private.refuse('EC400', 'invalid_request',
      'A serial has 3 to 64 letters, digits, - or _, and starts with a letter or digit.');
  end if;
  select d.* into device from public.devices d where d.serial = register_device.serial for update;
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
      select d.* into strict device from public.devices d where d.serial = register_device.serial for update;
    end if;
  end if;

  -- GUARD: another org's serial says only that it is taken
  if device.org_id <> org then
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
      'device', device.serial, org, null, jsonb_build_object('serial', device.serial, 'product_type', device.product_type));
  end if;
  return jsonb_build_object(
    'device', private.device_json(device), 'created', created, 'issued', issued,
    'claim_issued', issued and device.claimed_at is null and register_device.claim_sha256 is not null);
end
$$;
comment on function ec.register_device(text, text, text, bytea, text, text, bytea, uuid) is
  'Registers or finds a device → {device, created, issued, claim_issued}. EC400, EC401, EC403, EC404, EC409 serial_taken | conflict, EC422';

create function ec.register_devices(items json, org_id uuid default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  item record;
  result jsonb;
  results jsonb[] := array_fill(null::jsonb, array[greatest(json_array_length(items), 1)]);
  failed_detail text;
  failed_hint text;
begin
  if coalesce(json_array_length(items), 0) not between 1 and 500 then
    perform private.refuse('EC400', 'invalid_request', 'Register 1 to 500 devices in one call.');
  end if;
  -- In the order of serials, so that two calls over the same ones cannot wait for each other.
  for item in
    select (e.i)::int as i, r.* from json_array_elements(items) with ordinality e (value, i),
      json_to_record(e.value) r (
        serial text, product_type text, fw_version text, secret_sha256 text, password_hash text, salt text, claim_sha256 text
      )
    order by r.serial, e.i
  loop
    begin
      result := ec.register_device(
        item.serial, item.product_type, item.fw_version, decode(item.secret_sha256, 'hex'), item.password_hash,
        item.salt, decode(item.claim_sha256, 'hex'), register_devices.org_id) || '{"ok": true}';
    exception
      when sqlstate 'EC400' or sqlstate 'EC401' or sqlstate 'EC403' or sqlstate 'EC404' or sqlstate 'EC409'
        or sqlstate 'EC422' or integrity_constraint_violation then
        get stacked diagnostics failed_detail = pg_exception_detail, failed_hint = pg_exception_hint;
        result := jsonb_build_object(
          'ok', false, 'serial', item.serial, 'error', private.item_error(sqlstate, sqlerrm, failed_detail, failed_hint));
    end;
    results[item.i] := result || jsonb_build_object('i', item.i - 1);
  end loop;
  return to_jsonb(results);
end
$$;
comment on function ec.register_devices(json, uuid) is
  'Up to 500 registrations, each with its own result in the order given: {i, ok, …} or {i, ok: false, error}';

grant execute on function
  ec.register_device(text, text, text, bytea, text, text, bytea, uuid), ec.register_devices(json, uuid)
to authenticated;
