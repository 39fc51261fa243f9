-- What users and programs want of a device. The change, the messages that carry it and its audit entry are one
-- transaction; the device's row is locked, so that two people at once lose nothing.

-- GUARD: who may control the device, and its customer for the keys the product type leaves to customers.
create function private.lock_shadow(serial text, keys text[]) returns public.devices
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  refused text[];
begin
  select d.* into device from public.devices d where d.serial = lock_shadow.serial for no key update;
  if private.can(device.org_id, 'control') then
    return device;
  end if;
  if exists (
    select from private.my_memberships() m
    where m.role = 'customer' and m.user_id = device.customer_id and m.org_id = device.org_id
  ) then
    select array_agg(k order by k) into refused from unnest(lock_shadow.keys) k
    where k <> all (select unnest(t.controllable_keys) from public.product_types t where t.key = device.product_type);
    if refused is null then
      return device;
    end if;
    perform private.refuse('EC403', 'forbidden',
      format('You may not set %s on this device.', array_to_string(refused, ', ')), jsonb_build_object('keys', refused));
  end if;
  if device.id = any (array(select private.my_device_ids())) then
    perform private.refuse('EC403', 'forbidden', 'You may read this device but not change it.');
  end if;
  perform private.require_org(device.org_id, 'control');
  return device;
end
$$;

create function private.send_shadow_document(device public.devices, delta jsonb, client_token text default null) returns void
language sql security definer
set search_path = ''
as $$
  select private.enqueue_mqtt(device.serial, 'shadow/document', private.compact_json(
    jsonb_build_object('version', device.desired_version, 'desired', device.desired, 'delta', delta, 'at', ec.iso_time(clock_timestamp()))
    || case when client_token is null then '{}' else jsonb_build_object('client_token', client_token) end))
$$;

-- Both topics clients read: whoever subscribes gets the whole document, at any time.
create function private.send_desired(device public.devices) returns void
language sql security definer
set search_path = ''
as $$
  select private.enqueue_mqtt(device.serial, kind, document, true)
  from private.compact_json(device.desired) document, unnest(array['shadow/desired', 'config']) kind
$$;

create function ec.set_shadow_desired(
  serial text, patch jsonb, if_match bigint default null, client_token text default null
) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  max_bytes constant int := 8192;
  before public.devices;
  after public.devices;
  merged jsonb;
  reported jsonb;
  delta jsonb;
  reply jsonb;
begin
  perform private.require_shadow(patch);
  if octet_length(client_token) > 64 then
    perform private.refuse('EC400', 'invalid_request', 'A client token has at most 64 bytes.');
  end if;
  before := private.lock_shadow(set_shadow_desired.serial, array(select jsonb_object_keys(patch)));
  if before.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  elsif if_match <> before.desired_version then
    perform private.refuse('EC409', 'stale_version', 'It was changed since you read it. Read it again.',
      jsonb_build_object('desired_version', before.desired_version, 'current', before.desired_version));
  end if;

  merged := private.merge_shadow(before.desired, patch);
  after := before;
  if merged <> before.desired then
    if octet_length(private.compact_json(merged)) > max_bytes then
      perform private.refuse('EC413', 'too_large', 'What is desired of a device has at most 8 KB.',
        jsonb_build_object('max_bytes', max_bytes));
    end if;
    update public.devices d set desired = merged, desired_version = d.desired_version + 1
    where d.id = before.id
    returning d.* into after;
    perform private.write_audit('shadow_desired_changed', 'device', after.serial, after.org_id, before.desired, after.desired);
  end if;

  select s.reported into reported from public.device_state s where s.device_num = after.num;
  delta := private.shadow_delta(after.desired, reported);
  -- The same wish again reaches a device that did not follow the first time.
  if after.desired_version > before.desired_version or delta <> '{}' then
    perform private.send_desired(after);
    perform private.send_shadow_document(after, delta, client_token);
  end if;
  reply := jsonb_build_object('serial', after.serial, 'desired_version', after.desired_version, 'desired', after.desired, 'delta', delta)
    || case when client_token is null then '{}' else jsonb_build_object('client_token', client_token) end;
  perform realtime.send(reply || jsonb_build_object('at', ec.iso_time(clock_timestamp())), 'shadow', l.topic, true)
  from ec.live_leases l
  where l.kind = 'device' and l.device_num = after.num and l.expires_at > clock_timestamp();
  return reply || jsonb_build_object('desired_times', after.desired_times, 'reported', reported,
    'changed', after.desired_version > before.desired_version);
end
$$;
comment on function ec.set_shadow_desired(text, jsonb, bigint, text) is
  'Merges a patch, null removes → {serial, desired_version, desired, desired_times, reported, delta, changed, client_token?}. EC400 {path}, EC403 {keys}, EC404, EC409 stale_version {desired_version} | conflict (retired), EC413';

grant execute on function ec.set_shadow_desired(text, jsonb, bigint, text) to authenticated;
