-- From a presented secret to an identity. Secrets have 256 random bits, so a plain SHA-256 finds the row; the
-- slow salted hash beside it is for brokers. Use is noted at most once a minute.

create function ec.resolve_credential(kind text, sha256 bytea)
returns table (id uuid, org_id uuid, scopes text[], product_type text, plan text)
language plpgsql security definer
set search_path = ''
as $$
begin
  if kind = 'api_key' then
    return query
    select k.id, k.org_id, k.scopes, null::text, o.plan
    from public.api_keys k join public.orgs o on o.id = k.org_id
    where k.key_sha256 = resolve_credential.sha256
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
    update public.api_keys k set last_used_at = now()
    where k.key_sha256 = resolve_credential.sha256
      and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute');
  elsif kind = 'provisioning_key' then
    return query
    select k.id, k.org_id, array['provision'], k.product_type, o.plan
    from public.provisioning_keys k join public.orgs o on o.id = k.org_id
    where k.key_sha256 = resolve_credential.sha256
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
    update public.provisioning_keys k set last_used_at = now()
    where k.key_sha256 = resolve_credential.sha256
      and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute');
  end if;
end
$$;
comment on function ec.resolve_credential(text, bytea) is
  'kind = api_key or provisioning_key; no row when unknown, revoked or expired';

create function ec.resolve_device(serial text, sha256 bytea) returns table (device_id uuid, device_num int)
language plpgsql security definer
set search_path = ''
as $$
begin
  return query
  select d.id, d.num
  from public.device_credentials c join public.devices d on d.id = c.device_id
  where c.secret_sha256 = resolve_device.sha256 and d.serial = resolve_device.serial
    and c.revoked_at is null and (c.expires_at is null or c.expires_at > now()) and d.lifecycle <> 'retired';
  if found then
    update public.device_credentials c
    set first_used_at = coalesce(c.first_used_at, now()), last_used_at = now()
    where c.secret_sha256 = resolve_device.sha256
      and (c.last_used_at is null or c.last_used_at < now() - interval '1 minute');
  end if;
end
$$;
comment on function ec.resolve_device(text, bytea) is 'No row when the secret is not a live one of that serial';

-- Brokers check passwords themselves and tell afterwards.
create function ec.mark_devices_authenticated(serials text[]) returns void
language sql security definer
set search_path = ''
as $$
  update public.device_credentials c
  set first_used_at = coalesce(c.first_used_at, now()), last_used_at = now()
  where c.serial = any (serials) and c.revoked_at is null and (c.expires_at is null or c.expires_at > now())
    and (c.last_used_at is null or c.last_used_at < now() - interval '1 minute')
$$;
comment on function ec.mark_devices_authenticated(text[]) is
  'A broker let these in; which of two overlapping secrets was used it cannot say, so both count as used';

create function ec.mark_device_authenticated(serial text) returns void
language sql security definer
set search_path = ''
as $$
  select ec.mark_devices_authenticated(array[serial])
$$;

create view ec.mqtt_credentials as
  select
    c.serial, c.password_hash, c.salt,
    encode(decode(split_part(c.password_hash, '$', 5), 'base64'), 'hex') as password_hash_hex,
    c.expires_at, c.id as credential_id, c.created_at
  from public.device_credentials c join public.devices d on d.id = c.device_id
  where d.lifecycle <> 'retired' and c.revoked_at is null and (c.expires_at is null or c.expires_at > now());
comment on view ec.mqtt_credentials is
  'What brokers check: username = serial. Two rows during a rotation''s overlap; the newest wins where only one fits';

create function ec.session_is_live(session_id uuid) returns bool
language sql stable security definer
set search_path = ''
as $$
  select exists (select from auth.sessions s where s.id = session_is_live.session_id)
$$;
comment on function ec.session_is_live(uuid) is 'False once the person signed out or was signed out';

grant execute on function
  ec.resolve_credential(text, bytea), ec.resolve_device(text, bytea), ec.session_is_live(uuid)
to ec_api;
grant execute on function ec.session_is_live(uuid) to authenticated;
grant execute on function ec.mark_devices_authenticated(text[]), ec.mark_device_authenticated(text)
to ec_api, ec_bridge, ec_broker;
grant select on ec.mqtt_credentials to ec_broker;
