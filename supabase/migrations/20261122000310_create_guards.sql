-- What the domain functions share: refusing with a contract code, guarding by permission, writing the audit
-- log. Callers are security definer functions; nobody else executes these.

create function private.refuse(state text, code text, detail text, hint jsonb default null) returns void
language plpgsql
set search_path = ''
as $$
begin
  raise exception using errcode = state, message = code, detail = detail, hint = coalesce(hint::text, '');
end
$$;
comment on function private.refuse(text, text, text, jsonb) is
  'state EC4xx = HTTP status, code = contract code, detail = what to do about it, hint = extra members of the problem';

create function private.refuse_missing() returns void
language sql
set search_path = ''
as $$
  select private.refuse('EC404', 'not_found', 'There is no such thing, or you may not see it.')
$$;

-- GUARD: what the actor may not even read is missing; what it may read but not do is forbidden.
create function private.require_org(org_id uuid, action text) returns void
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if private.can(require_org.org_id, action) then
    return;
  end if;
  if private.can(require_org.org_id, 'read')
    or exists (select from private.my_api_key() k where k.org_id = require_org.org_id) then
    perform private.refuse('EC403', 'forbidden', format('Your access to this organisation does not include "%s".', action));
  end if;
  perform private.refuse_missing();
end
$$;

create function private.lock_device(serial text, action text) returns public.devices
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
begin
  select d.* into device from public.devices d where d.serial = lock_device.serial for update;
  if private.can(device.org_id, action) then
    return device;
  end if;
  if device.id = any (array(select private.my_device_ids())) then
    perform private.refuse('EC403', 'forbidden', 'You may read this device but not change it.');
  end if;
  perform private.require_org(device.org_id, action);
  return device;
end
$$;
comment on function private.lock_device(text, text) is 'The device, locked until commit, when the actor may do the action';

create function private.require_keys(input jsonb, allowed text[]) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  unknown text;
begin
  if input is null or jsonb_typeof(input) <> 'object' then
    perform private.refuse('EC400', 'invalid_request', 'Send a JSON object.');
  end if;
  select string_agg(k, ', ') into unknown from jsonb_object_keys(input) k where k <> all (allowed);
  if unknown is not null then
    perform private.refuse('EC400', 'invalid_request',
      format('Unknown or read-only: %s. Allowed: %s.', unknown, array_to_string(allowed, ', ')));
  end if;
end
$$;

create function private.require_timezone(name text) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  perform now() at time zone name;
exception when invalid_parameter_value then
  perform private.refuse('EC422', 'unprocessable', format('"%s" is no IANA time zone, such as Europe/Berlin.', name));
end
$$;

create function private.actor_label() returns text
language sql stable security definer
set search_path = ''
as $$
  select case private.actor_kind()
    when 'user' then (select coalesce(p.email, p.id::text) from public.profiles p where p.id = private.actor_id())
    when 'api_key' then (select k.name || ' (' || k.prefix || '…)' from public.api_keys k where k.id = private.actor_id())
    when 'provisioning_key' then
      (select k.name || ' (' || k.prefix || '…)' from public.provisioning_keys k where k.id = private.actor_id())
    when 'device' then (select d.serial from public.devices d where d.id = private.actor_id())
    else 'system'
  end
$$;

-- Keeps of before and after only what differs; an update that changed nothing leaves no row.
create function private.write_audit(
  action text, target_kind text, target_id text, org_id uuid,
  before jsonb default null, after jsonb default null, partner_id uuid default null
) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  old_part jsonb := before;
  new_part jsonb := after;
begin
  if before is not null and after is not null then
    select jsonb_object_agg(b.key, b.value) into old_part
    from jsonb_each(before) b where b.value is distinct from after -> b.key;
    select jsonb_object_agg(a.key, a.value) into new_part
    from jsonb_each(after) a where a.value is distinct from before -> a.key;
    if old_part is null and new_part is null then
      return;
    end if;
  end if;
  insert into public.audit_log
    (org_id, partner_id, actor_kind, actor_id, actor_label, action, target_kind, target_id, before, after, request_id)
  values (
    write_audit.org_id, write_audit.partner_id, coalesce(private.actor_kind(), 'system'), private.actor_id(),
    private.actor_label(), action, target_kind, target_id, old_part, new_part,
    nullif(current_setting('ec.request_id', true), '')
  );
end
$$;

-- The error of one item of a bulk call, in the shape of a problem.
create function private.item_error(state text, code text, detail text, hint text) returns jsonb
language sql immutable
set search_path = ''
as $$
  select case when state like 'EC4%'
    then jsonb_build_object('status', state, 'code', code, 'detail', detail, 'extra', nullif(hint, '')::jsonb)
    else jsonb_build_object('status', 'EC422', 'code', 'unprocessable', 'detail', code, 'extra', null)
  end
$$;

grant execute on function
  private.refuse(text, text, text, jsonb), private.refuse_missing(), private.require_org(uuid, text)
to authenticated;
