-- What the API's device routes need besides ec.ingest_device_requests. The API proved the secret; the claims say
-- which device it is, and each function checks that the serial is that device's.

create function private.require_own_device(serial text) returns public.devices
language plpgsql stable security definer
set search_path = ''
as $$
declare
  device public.devices;
begin
  select d.* into device from public.devices d
  where d.serial = require_own_device.serial and d.lifecycle <> 'retired'
    and private.actor_kind() = 'device' and d.id = private.actor_id();
  if device.id is null then
    perform private.refuse_missing();
  end if;
  return device;
end
$$;

create function ec.device_secret_is_live(sha256 bytea) returns bool
language sql stable security definer
set search_path = ''
as $$
  select exists (
    select from public.device_credentials c join public.devices d on d.id = c.device_id
    where c.secret_sha256 = device_secret_is_live.sha256 and c.revoked_at is null
      and (c.expires_at is null or c.expires_at > now()) and d.lifecycle <> 'retired'
  )
$$;
comment on function ec.device_secret_is_live(bytea) is 'True for a live secret of any device: tells wrong device from wrong secret';

create function ec.read_device_commands(serial text) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  device public.devices := private.require_own_device(serial);
begin
  return jsonb_build_object('commands', '[]'::jsonb, 'desired', device.desired, 'desired_version', device.desired_version);
end
$$;
comment on function ec.read_device_commands(text) is
  'The device itself: {commands, desired, desired_version}. EC404';

create function ec.report_device_shadow(serial text, document jsonb, arrival bigint) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices := private.require_own_device(serial);
begin
  perform ec.record_reported(json_build_array(json_build_object(
    's', device.serial, 'd', document, 'r', arrival, 'door', 'https')));
  return (
    select jsonb_build_object('serial', device.serial, 'reported', s.reported, 'desired', device.desired,
      'desired_version', device.desired_version)
    from public.device_state s where s.device_id = device.id
  );
end
$$;
comment on function ec.report_device_shadow(text, jsonb, bigint) is
  'The device itself: merges a document into reported; arrival in µs → {serial, reported, desired, desired_version}. EC404';

-- packets and refused as in ec.ingest_device_requests. The device itself, or who may control it.
create function ec.push_telemetry(serial text, packets json, refused json) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  result jsonb;
begin
  if private.actor_kind() = 'device' then
    device := private.require_own_device(push_telemetry.serial);
  else
    select d.* into device from public.devices d where d.serial = push_telemetry.serial;
    perform private.require_org(device.org_id, 'control');
    if device.lifecycle = 'retired' then
      perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
    end if;
  end if;
  result := ec.ingest_telemetry((
    select coalesce(json_agg(json_build_object('i', p.i - 1, 's', device.serial, 'd', p.d, 'r', p.r, 't', p.t, 'q', p.q) order by p.i), '[]')
    from rows from (json_to_recordset(packets) as (d json, r bigint, t bigint, q bigint)) with ordinality as p (d, r, t, q, i)
  ), 'https');
  if json_array_length(refused) > 0 then
    perform ec.record_dead_letters((
      select json_agg(json_build_object('s', device.serial, 'door', 'https', 'reason', x ->> 'reason', 'detail', x ->> 'detail',
        'payload', x ->> 'payload', 'bytes', x -> 'bytes', 'r', x -> 'r'))
      from json_array_elements(refused) x
    ));
  end if;
  return jsonb_build_object('accepted', result -> 'accepted', 'duplicate', result -> 'duplicate',
    'rejected', (result ->> 'rejected')::int + json_array_length(refused));
end
$$;
comment on function ec.push_telemetry(text, json, json) is
  'The device itself, or action control: stores packets and refused ones → {accepted, duplicate, rejected}. EC403, EC404, EC409';

grant execute on function ec.device_secret_is_live(bytea) to ec_api;
grant execute on function
  ec.read_device_commands(text), ec.report_device_shadow(text, jsonb, bigint), ec.push_telemetry(text, json, json)
to authenticated;
