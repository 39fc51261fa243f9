-- Changing, moving and retiring devices.

create function private.merge_patch(document jsonb, patch jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
  select coalesce(
    (select jsonb_object_agg(e.key, e.value) from jsonb_each(document || patch) e where e.value <> 'null'), '{}')
$$;
comment on function private.merge_patch(jsonb, jsonb) is 'Top-level merge; null removes a key';

create function ec.update_device(serial text, patch jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  before public.devices;
  after public.devices;
begin
  perform private.require_keys(patch, array['name', 'attributes', 'tags', 'online_window_s']);
  before := private.lock_device(update_device.serial, 'configure');
  if jsonb_typeof(patch -> 'attributes') <> 'object' or octet_length(patch ->> 'attributes') > 16384 then
    perform private.refuse('EC400', 'invalid_request', 'attributes is an object of at most 16 KB.');
  end if;
  if patch ? 'tags' and (
    jsonb_typeof(patch -> 'tags') <> 'array' or jsonb_array_length(patch -> 'tags') > 32
    or exists (select from jsonb_array_elements(patch -> 'tags') t where jsonb_typeof(t) <> 'string' or t #>> '{}' !~ '^\S(.{0,62}\S)?$')
  ) then
    perform private.refuse('EC400', 'invalid_request', 'tags is an array of at most 32 strings of 1 to 64 characters.');
  end if;
  update public.devices d set
    name = case when patch ? 'name' then patch ->> 'name' else d.name end,
    attributes = private.merge_patch(d.attributes, coalesce(patch -> 'attributes', '{}')),
    tags = case when patch ? 'tags'
      then array(select distinct t from jsonb_array_elements_text(patch -> 'tags') t order by t) else d.tags end,
    online_window_s = case when patch ? 'online_window_s' then (patch ->> 'online_window_s')::int else d.online_window_s end
  where d.id = before.id
  returning d.* into after;
  perform private.write_audit('device_updated', 'device', after.serial, after.org_id,
    private.device_json(before), private.device_json(after));
  return private.device_json(after);
end
$$;
comment on function ec.update_device(text, jsonb) is
  'Keys name, attributes (merge, null removes), tags, online_window_s → the device. EC400, EC403, EC404';

-- Another org is a transfer: it needs rights on both sides and leaves nothing of the old holder behind.
create function ec.assign_device(serial text, target jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  before public.devices;
  after public.devices;
  new_org uuid;
  new_location uuid;
begin
  perform private.require_keys(target, array['org_id', 'location_id']);
  before := private.lock_device(assign_device.serial, 'configure');
  if before.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  end if;
  new_org := coalesce((target ->> 'org_id')::uuid, before.org_id);
  new_location := case
    when target ? 'location_id' then (target ->> 'location_id')::uuid
    when new_org = before.org_id then before.location_id
  end;
  if new_org <> before.org_id then
    perform private.require_org(before.org_id, 'provision');
    perform private.require_org(new_org, 'provision');
  end if;
  if new_location is not null and not exists (
    select from public.locations l where l.id = new_location and l.org_id = new_org
  ) then
    perform private.refuse_missing();
  end if;
  if (new_org, new_location) is not distinct from (before.org_id, before.location_id) then
    return private.device_json(before);
  end if;

  update public.devices d set
    org_id = new_org, location_id = new_location,
    customer_id = case when new_org = d.org_id then d.customer_id end,
    claimed_at = case when new_org = d.org_id then d.claimed_at else now() end,
    lifecycle = case when new_org <> d.org_id and d.lifecycle = 'manufactured' then 'claimed' else d.lifecycle end
  where d.id = before.id
  returning d.* into after;
  perform private.start_tenure(after.id,
    new_org <> before.org_id or private.has_tenants(before.location_id) or private.has_tenants(new_location));
  perform private.write_audit('device_assigned', 'device', after.serial, before.org_id,
    jsonb_build_object('org_id', before.org_id, 'location_id', before.location_id),
    jsonb_build_object('org_id', after.org_id, 'location_id', after.location_id));
  if new_org <> before.org_id then
    update public.claim_codes c set revoked_at = now()
    where c.device_id = after.id and c.used_at is null and c.revoked_at is null;
    -- Sockets on the device's live topic belong to the old holder.
    update public.orgs o set live_epoch = o.live_epoch + 1 where o.id = before.org_id;
    perform private.write_audit('device_received', 'device', after.serial, after.org_id, null,
      jsonb_build_object('product_type', after.product_type));
  end if;
  return private.device_json(after);
end
$$;
comment on function ec.assign_device(text, jsonb) is
  'Keys org_id, location_id (null = no room) → the device. EC400, EC403, EC404, EC409 conflict (retired)';

create function ec.assign_devices(items json) returns jsonb
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
    perform private.refuse('EC400', 'invalid_request', 'Assign 1 to 500 devices in one call.');
  end if;
  for item in
    select (e.i)::int as i, e.value ->> 'serial' as serial, e.value::jsonb - 'serial' as target
    from json_array_elements(items) with ordinality e (value, i) order by e.value ->> 'serial', e.i
  loop
    begin
      result := jsonb_build_object('ok', true, 'device', ec.assign_device(item.serial, item.target));
    exception
      when sqlstate 'EC400' or sqlstate 'EC403' or sqlstate 'EC404' or sqlstate 'EC409'
        or invalid_text_representation then
        get stacked diagnostics failed_detail = pg_exception_detail, failed_hint = pg_exception_hint;
        result := jsonb_build_object(
          'ok', false, 'serial', item.serial, 'error', private.item_error(sqlstate, sqlerrm, failed_detail, failed_hint));
    end;
    results[item.i] := result || jsonb_build_object('i', item.i - 1);
  end loop;
  return to_jsonb(results);
end
$$;
comment on function ec.assign_devices(json) is 'Up to 500 of {serial, org_id?, location_id?}, each with its own result';

create function ec.retire_device(serial text, force bool default false) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  untouched bool;
begin
  device := private.lock_device(retire_device.serial, 'provision');
  if device.lifecycle = 'retired' then
    return jsonb_build_object('deleted', false);
  end if;
  if device.lifecycle = 'active' and not force then
    perform private.refuse('EC409', 'conflict', 'This device is active. Retire it with force=true.');
  end if;
  perform private.clear_retained(device.serial);
  perform pg_notify('ec_credentials', device.serial);
  untouched := device.activated_at is null and device.claimed_at is null
    and not exists (
      select from public.device_credentials c where c.device_id = device.id and c.first_used_at is not null
    );
  perform private.write_audit(case when untouched then 'device_deleted' else 'device_retired' end,
    'device', device.serial, device.org_id, private.device_json(device));
  -- A device that never lived leaves no history, so its serial becomes free again.
  if untouched then
    delete from public.devices d where d.id = device.id;
    return jsonb_build_object('deleted', true);
  end if;
  update public.device_credentials c set revoked_at = now() where c.device_id = device.id and c.revoked_at is null;
  update public.claim_codes c set revoked_at = now()
  where c.device_id = device.id and c.used_at is null and c.revoked_at is null;
  update public.device_tenures t set ended_at = greatest(clock_timestamp(), t.started_at)
  where t.device_id = device.id and t.ended_at is null;
  update public.devices d set
    lifecycle = 'retired', retired_at = now(), desired = '{}', desired_version = d.desired_version + 1,
    pending_fw_version = null, pending_fw_url = null
  where d.id = device.id;
  return jsonb_build_object('deleted', false);
end
$$;
comment on function ec.retire_device(text, bool) is
  'Ends all its secrets and keeps its history; deletes it when it never lived. EC403, EC404, EC409 conflict (active)';

grant execute on function
  ec.update_device(text, jsonb), ec.assign_device(text, jsonb), ec.assign_devices(json), ec.retire_device(text, bool)
to authenticated;
