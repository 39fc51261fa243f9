-- New secrets for old, and taking secrets away. NOTIFY ec_credentials carries the serial: brokers forget the
-- old secret and drop its session.

create function ec.rotate_credential(
  device_id uuid, secret_sha256 bytea, password_hash text, salt text, overlap_s int default 3600
) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  ends_at timestamptz := now() + make_interval(secs => overlap_s);
  old_expires_at timestamptz;
  credential_id uuid;
begin
  device := private.lock_device(
    (select d.serial from public.devices d where d.id = rotate_credential.device_id), 'provision');
  if device.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  end if;
  if overlap_s is null or overlap_s not between 0 and 604800 then
    perform private.refuse('EC400', 'invalid_request', 'overlap_s is a number of seconds up to 7 days; 0 ends the old secret at once.');
  end if;
  update public.device_credentials c set
    expires_at = least(c.expires_at, ends_at),
    revoked_at = case when overlap_s = 0 then now() end
  where c.device_id = device.id and c.revoked_at is null and (c.expires_at is null or c.expires_at > now());
  if found then
    old_expires_at := ends_at;
  end if;
  credential_id := private.store_secret(device, secret_sha256, password_hash, salt);
  perform private.write_audit('credential_rotated', 'device', device.serial, device.org_id, null,
    jsonb_build_object('credential_id', credential_id, 'overlap_s', overlap_s));
  return jsonb_build_object('id', credential_id, 'old_expires_at', old_expires_at);
end
$$;
comment on function ec.rotate_credential(uuid, bytea, text, text, int) is
  'Stores a new secret; the ones before it end after overlap_s seconds → {id, old_expires_at}. EC400, EC403, EC404, EC409';

create function ec.revoke_credential(credential_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
begin
  device := private.lock_device(
    (select c.serial from public.device_credentials c where c.id = revoke_credential.credential_id), 'provision');
  update public.device_credentials c set revoked_at = now()
  where c.id = revoke_credential.credential_id and c.revoked_at is null;
  if not found then
    return;
  end if;
  perform pg_notify('ec_credentials', device.serial);
  if not exists (select from ec.mqtt_credentials c where c.serial = device.serial) then
    perform private.clear_retained(device.serial);
  end if;
  perform private.write_audit('credential_revoked', 'device', device.serial, device.org_id,
    jsonb_build_object('credential_id', credential_id));
end
$$;
comment on function ec.revoke_credential(uuid) is 'Ends a secret at once; repeating it changes nothing. EC403, EC404';

create function ec.expire_credentials(at timestamptz) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  expired text[];
begin
  with ended as (
    update public.device_credentials c set revoked_at = c.expires_at
    where c.revoked_at is null and c.expires_at <= expire_credentials.at
    returning c.serial
  )
  select array_agg(distinct serial) into expired from ended;
  perform pg_notify('ec_credentials', serial) from unnest(expired) serial;
  return coalesce(cardinality(expired), 0);
end
$$;
comment on function ec.expire_credentials(timestamptz) is 'Cron: tells brokers about overlaps that ended';

grant execute on function
  ec.rotate_credential(uuid, bytea, text, text, int), ec.revoke_credential(uuid)
to authenticated;
