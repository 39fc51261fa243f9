-- Giving a device back, moving it on, and its history.

create function ec.unclaim_device(serial text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  before public.devices;
  after public.devices;
  ended text;
begin
  select d.* into before from public.devices d where d.serial = unclaim_device.serial for no key update;
  -- GUARD: its customer gives it back themselves; everybody else needs the right to register
  if before.customer_id is null or before.customer_id is distinct from private.my_user_id()
    or before.id <> all (array(select private.my_device_ids())) then
    before := private.lock_device(unclaim_device.serial, 'provision');
  end if;
  if before.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired.');
  elsif before.customer_id is not null then
    ended := 'customer';
    after := private.remove_customer(before);
  elsif before.org_id <> before.maker_org_id then
    ended := 'holder';
    perform private.end_claim_codes(before.id, 'unclaimed');
    after := private.hand_over(before, before.maker_org_id, null, null, null);
    perform private.write_handover_audit('device_returned', before.serial, before.maker_org_id, 'its holder');
  elsif before.claimed_at is not null then
    ended := 'claim';
    perform private.end_claim_codes(before.id, 'unclaimed');
    after := private.hand_over(before, before.org_id, before.location_id, null, null);
  else
    perform private.refuse('EC409', 'conflict', 'Nobody has claimed this device.');
  end if;
  perform private.write_audit('device_unclaimed', 'device', before.serial, before.org_id,
    jsonb_build_object('customer_id', before.customer_id, 'claimed_at', before.claimed_at),
    jsonb_build_object('customer_id', null, 'claimed_at', null));
  return jsonb_build_object('serial', after.serial, 'ended', ended,
    'visible', private.can(after.org_id, 'read') or after.id = any (array(select private.my_device_ids())));
end
$$;
comment on function ec.unclaim_device(text) is
  'One step back: its customer goes, else its holder (to its maker), else the claim → {serial, ended, visible}. EC403, EC404, EC409 conflict';

-- Another org is a transfer: it needs rights on both sides and leaves nothing of the old holder behind.
create or replace function ec.assign_device(serial text, target jsonb) returns jsonb
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

  if new_org <> before.org_id then
    perform private.require_room_in_plan(new_org, 'devices');
    perform private.end_claim_codes(before.id, 'transferred');
    after := private.hand_over(before, new_org, new_location, null, now());
    perform private.write_audit('device_received', 'device', after.serial, after.org_id, null,
      jsonb_build_object('product_type', after.product_type));
  else
    update public.devices d set location_id = new_location where d.id = before.id returning d.* into after;
    perform private.start_tenure(after.id, private.has_tenants(before.location_id) or private.has_tenants(new_location));
    if private.has_tenants(before.location_id) then
      perform private.raise_epochs(array[before.org_id]);
    end if;
  end if;
  perform private.write_audit('device_assigned', 'device', after.serial, before.org_id,
    jsonb_build_object('org_id', before.org_id, 'location_id', before.location_id),
    jsonb_build_object('org_id', after.org_id, 'location_id', after.location_id));
  return private.device_json(after);
end
$$;
comment on function ec.assign_device(text, jsonb) is
  'Keys org_id, location_id (null = no room) → the device. EC400, EC403 forbidden | plan_limit, EC404, EC409 conflict (retired)';

create or replace function ec.retire_device(serial text, force bool default false) returns jsonb
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
    )
    and not exists (select from public.claim_codes c where c.device_id = device.id and c.used_at is not null);
  perform private.write_audit(case when untouched then 'device_deleted' else 'device_retired' end,
    'device', device.serial, device.org_id, private.device_json(device));
  -- A device that never lived leaves no history, so its serial becomes free again.
  if untouched then
    delete from public.devices d where d.id = device.id;
    return jsonb_build_object('deleted', true);
  end if;
  update public.device_credentials c set revoked_at = now() where c.device_id = device.id and c.revoked_at is null;
  perform private.end_claim_codes(device.id, 'retired');
  update public.device_tenures t set ended_at = greatest(clock_timestamp(), t.started_at)
  where t.device_id = device.id and t.ended_at is null;
  update public.devices d set
    lifecycle = 'retired', retired_at = now(), desired = '{}', desired_version = d.desired_version + 1,
    pending_fw_version = null, pending_fw_url = null
  where d.id = device.id;
  return jsonb_build_object('deleted', false);
end
$$;

create function ec.device_history(serial text) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  device public.devices := private.require_device(serial, 'read');
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'started_at', t.started_at, 'ended_at', t.ended_at, 'org_name', o.name, 'location_name', l.name, 'customer_email', p.email
    ) order by t.started_at desc, t.id desc), '[]')
    from public.device_tenures t
    join public.orgs o on o.id = t.org_id
    left join public.locations l on l.id = t.location_id
    left join public.profiles p on p.id = t.customer_id
    -- What happened at somebody else's is theirs.
    where t.device_id = device.id and t.org_id = any (array(select private.my_org_ids()))
  );
end
$$;
comment on function ec.device_history(text) is
  'Its tenures in orgs the actor reads, newest first: [{started_at, ended_at, org_name, location_name, customer_email}]. EC403, EC404';

grant execute on function ec.unclaim_device(text), ec.device_history(text) to authenticated;
