-- API keys and provisioning keys. The API makes a key and hands in its hash; the key itself is shown once.

-- GUARD: a key never may more than the person who makes it.
create function private.grantable_scopes(org_id uuid) returns text[]
language sql stable security definer
set search_path = ''
as $$
  select array_agg(scope order by n)
  from (values
    (1, 'read', array['read']), (2, 'write', array['control', 'configure']), (3, 'ota', array['ota']), (4, 'provision', array['provision'])
  ) s (n, scope, actions)
  where (select bool_and(private.can(org_id, a)) from unnest(actions) a)
$$;

create function ec.create_api_key(
  org_id uuid, name text, prefix text, key_sha256 bytea, scopes text[] default null, expires_at timestamptz default null
) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  key public.api_keys;
  grantable text[];
begin
  perform private.require_org(create_api_key.org_id, 'invite');
  grantable := private.grantable_scopes(create_api_key.org_id);
  if create_api_key.expires_at <= now() then
    perform private.refuse('EC400', 'invalid_request', 'expires_at lies in the past.');
  elsif cardinality(create_api_key.scopes) = 0 then
    perform private.refuse('EC400', 'invalid_request', 'Name at least one scope: read, write, ota, provision.');
  elsif not coalesce(create_api_key.scopes, grantable) <@ grantable then
    perform private.refuse('EC403', 'forbidden', format('You may give these scopes: %s.', array_to_string(grantable, ', ')));
  end if;
  insert into public.api_keys (org_id, name, prefix, key_sha256, scopes, created_by, expires_at)
  values (
    create_api_key.org_id, create_api_key.name, create_api_key.prefix, create_api_key.key_sha256,
    coalesce(create_api_key.scopes, grantable), private.my_user_id(), create_api_key.expires_at)
  returning * into key;
  perform private.write_audit('api_key_created', 'api_key', key.id::text, key.org_id, null,
    to_jsonb(key) - 'key_sha256');
  return to_jsonb(key) - 'key_sha256';
end
$$;
comment on function ec.create_api_key(uuid, text, text, bytea, text[], timestamptz) is
  'scopes null = all the maker may give → the key''s row without its hash. EC400, EC403, EC404';

create function ec.revoke_api_key(api_key_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  key public.api_keys;
begin
  select k.* into key from public.api_keys k where k.id = revoke_api_key.api_key_id for update;
  perform private.require_org(key.org_id, 'invite');
  if key.revoked_at is not null then
    return;
  end if;
  update public.api_keys k set revoked_at = now() where k.id = key.id;
  -- Live tokens made with the key end with it.
  update public.orgs o set live_epoch = o.live_epoch + 1 where o.id = key.org_id;
  perform private.write_audit('api_key_revoked', 'api_key', key.id::text, key.org_id, to_jsonb(key) - 'key_sha256');
end
$$;
comment on function ec.revoke_api_key(uuid) is 'Ends a key at once; repeating it changes nothing. EC403, EC404';

create function ec.create_provisioning_key(org_id uuid, input jsonb, prefix text, key_sha256 bytea) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  key public.provisioning_keys;
  mode text := coalesce(input ->> 'mode', 'known');
begin
  perform private.require_org(create_provisioning_key.org_id, 'invite');
  perform private.require_keys(input, array['name', 'product_type', 'mode', 'serial_prefix', 'max_count', 'expires_at']);
  perform private.check_product_type(input ->> 'product_type', create_provisioning_key.org_id);
  if mode = 'new' and (input ->> 'serial_prefix' is null or input ->> 'max_count' is null or input ->> 'expires_at' is null) then
    perform private.refuse('EC400', 'invalid_request', 'A key for new serials needs serial_prefix, max_count and expires_at.');
  elsif (input ->> 'expires_at')::timestamptz <= now() then
    perform private.refuse('EC400', 'invalid_request', 'expires_at lies in the past.');
  end if;
  insert into public.provisioning_keys
    (org_id, product_type, name, mode, serial_prefix, max_count, expires_at, prefix, key_sha256, created_by)
  values (
    create_provisioning_key.org_id, input ->> 'product_type', input ->> 'name', mode, input ->> 'serial_prefix',
    (input ->> 'max_count')::int, (input ->> 'expires_at')::timestamptz, create_provisioning_key.prefix,
    create_provisioning_key.key_sha256, private.my_user_id())
  returning * into key;
  perform private.write_audit('provisioning_key_created', 'provisioning_key', key.id::text, key.org_id, null,
    to_jsonb(key) - 'key_sha256');
  return to_jsonb(key) - 'key_sha256';
end
$$;
comment on function ec.create_provisioning_key(uuid, jsonb, text, bytea) is
  '{name, product_type, mode?, serial_prefix?, max_count?, expires_at?} → the key''s row without its hash. EC400, EC403, EC404, EC422';

create function ec.revoke_provisioning_key(provisioning_key_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  key public.provisioning_keys;
begin
  select k.* into key from public.provisioning_keys k where k.id = revoke_provisioning_key.provisioning_key_id for update;
  perform private.require_org(key.org_id, 'invite');
  if key.revoked_at is not null then
    return;
  end if;
  update public.provisioning_keys k set revoked_at = now() where k.id = key.id;
  perform private.write_audit('provisioning_key_revoked', 'provisioning_key', key.id::text, key.org_id,
    to_jsonb(key) - 'key_sha256');
end
$$;
comment on function ec.revoke_provisioning_key(uuid) is 'Ends a key at once; devices it registered keep theirs. EC403, EC404';

-- GUARD: a reserved prefix locks everybody else out of it, so the platform's administrators give them.
create function ec.reserve_serial_prefix(prefix text, org_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  wanted text := reserve_serial_prefix.prefix;
begin
  if not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators reserve serial prefixes.');
  end if;
  perform private.require_org(reserve_serial_prefix.org_id, 'configure');
  if exists (
    select from public.serial_prefixes r
    where r.maker_org_id <> reserve_serial_prefix.org_id and (starts_with(r.prefix, wanted) or starts_with(wanted, r.prefix))
  ) then
    perform private.refuse('EC409', 'conflict', 'This prefix overlaps with one that is reserved.');
  end if;
  insert into public.serial_prefixes (prefix, maker_org_id) values (wanted, reserve_serial_prefix.org_id)
  on conflict do nothing;
  perform private.write_audit('serial_prefix_reserved', 'serial_prefix', wanted, reserve_serial_prefix.org_id);
end
$$;
comment on function ec.reserve_serial_prefix(text, uuid) is
  'From now on only this org registers new serials that start so; existing devices stay. EC403, EC404, EC409';

grant execute on function
  ec.create_api_key(uuid, text, text, bytea, text[], timestamptz), ec.revoke_api_key(uuid),
  ec.create_provisioning_key(uuid, jsonb, text, bytea), ec.revoke_provisioning_key(uuid),
  ec.reserve_serial_prefix(text, uuid)
to authenticated;
