-- What the API looks up around an upload and a registration.

create function ec.read_upload(firmware_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  firmware public.firmware;
begin
  select f.* into firmware from public.firmware f where f.id = read_upload.firmware_id;
  perform private.require_org(firmware.org_id, 'ota');
  return private.firmware_json(firmware);
end
$$;
comment on function ec.read_upload(uuid) is
  'Action ota, which may upload without being allowed to read anything else → the firmware. EC403, EC404';
grant execute on function ec.read_upload(uuid) to authenticated;

-- Devices trust the key of their type and maker, whoever holds them now.
create or replace function private.device_json(device public.devices) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'id', device.id, 'serial', device.serial, 'product_type', device.product_type, 'fw_version', device.fw_version,
    'lifecycle', device.lifecycle, 'org_id', device.org_id, 'maker_org_id', device.maker_org_id,
    'location_id', device.location_id, 'name', device.name,
    'attributes', device.attributes, 'tags', device.tags, 'online_window_s', device.online_window_s,
    'created_at', device.created_at, 'claimed_at', device.claimed_at, 'retired_at', device.retired_at,
    'telemetry_interval_s', p.telemetry_interval_s, 'ota_public_key', k.public_key
  )
  from public.product_types p
  left join public.product_type_keys k on k.product_type = device.product_type and k.maker_org_id = device.maker_org_id
  where p.key = device.product_type
$$;

-- Uploads that nobody finished, and files that came after their row was closed: an upload address works for two hours.
create function ec.abandon_uploads(org_id uuid, at timestamptz default clock_timestamp()) returns text[]
language plpgsql security definer
set search_path = ''
as $$
begin
  update public.firmware f set state = 'refused', refused_reason = 'abandoned'
  where f.org_id = abandon_uploads.org_id and f.state = 'uploading' and f.created_at < at - interval '3 hours';
  return array(
    select f.object_path
    from public.firmware f join storage.objects o on o.bucket_id = 'firmware' and o.name = f.object_path
    where f.org_id = abandon_uploads.org_id and f.state = 'refused' and f.created_at < at - interval '3 hours'
    order by f.created_at limit 20
  );
end
$$;
comment on function ec.abandon_uploads(uuid, timestamptz) is
  'The API alone, when somebody uploads: ends what was begun three hours ago → paths of files nobody needs';
grant execute on function ec.abandon_uploads(uuid, timestamptz) to ec_api;
