-- Whoever loses sight of a thing hears nothing more of it: the org's epoch rises, and leases under the old one end
-- at once instead of running out.

create function private.end_leases() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  with ended as (
    delete from ec.live_leases l
    where l.topic in (select e.topic from ec.live_leases e where e.org_id = new.id order by e.topic for update)
    returning l.topic
  )
  delete from ec.live_pending p using ended where p.topic = ended.topic;
  return null;
end
$$;
create trigger orgs_end_leases after update of live_epoch on public.orgs
  for each row when (old.live_epoch is distinct from new.live_epoch) execute function private.end_leases();

-- A device's topic carries its holder's epoch. One number above both orgs': the new holder's topic must never have
-- been the old one's.
create function private.raise_epochs(org_ids uuid[]) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  perform from public.orgs o where o.id = any (org_ids) order by o.id for no key update;
  update public.orgs o
  set live_epoch = 1 + (select max(p.live_epoch) from public.orgs p where p.id = any (org_ids))
  where o.id = any (org_ids);
end
$$;

-- Whoever comes in sees nothing of before, although others stay: the values go, what was wished for stays.
create function private.forget_readings(device_id uuid) returns void
language sql security definer
set search_path = ''
as $$
  update public.device_state s set
    reported = '{}', reported_at = null, older = '{}', packet_keys = '{}', reported_version = s.reported_version + 1,
    w_temp = '{}', w_hum = '{}', w_co2 = '{}', w_bat = '{}', s_temp = 0, s_hum = 0, s_co2 = 0, s_bat = 0
  where s.device_id = forget_readings.device_id
$$;

-- From whoever has a device to whoever has it next: nothing of the one before stays.
create function private.hand_over(
  device public.devices, org_id uuid, location_id uuid, customer_id uuid, claimed_at timestamptz
) returns public.devices
language plpgsql security definer
set search_path = ''
as $$
declare
  changes_org bool := hand_over.org_id <> device.org_id;
  -- What its maker wrote on it goes with it, what a holder wrote does not.
  forget_words bool := changes_org and device.org_id <> device.maker_org_id;
  after public.devices;
begin
  update public.devices d set
    org_id = hand_over.org_id, location_id = hand_over.location_id, customer_id = hand_over.customer_id,
    claimed_at = hand_over.claimed_at,
    lifecycle = case when hand_over.claimed_at is null then 'manufactured' else 'claimed' end,
    name = case when forget_words then null else d.name end,
    tags = case when forget_words then '{}' else d.tags end,
    attributes = case when forget_words then '{}' else d.attributes end,
    pending_fw_version = case when changes_org then null else d.pending_fw_version end,
    pending_fw_url = case when changes_org then null else d.pending_fw_url end
  where d.id = device.id
  returning d.* into after;
  perform private.start_tenure(device.id, true);
  -- The next packet makes it active again.
  update public.device_state s set
    active = false, last_seen = null, last_telemetry_at = null, last_door = null, last_seq = null,
    offline_alerted_at = null, packet_keys = '{}'
  where s.device_id = device.id;
  if changes_org then
    perform private.raise_epochs(array[device.org_id, hand_over.org_id]);
  elsif device.customer_id is not null and hand_over.customer_id is distinct from device.customer_id then
    perform private.raise_epochs(array[device.org_id]);
  end if;
  return after;
end
$$;
comment on function private.hand_over(public.devices, uuid, uuid, uuid, timestamptz) is
  'claimed_at null = unclaimed; the caller holds the device''s lock and has checked everything';

create function private.remove_customer(device public.devices) returns public.devices
language plpgsql security definer
set search_path = ''
as $$
begin
  perform private.end_claim_codes(device.id, 'unclaimed');
  return private.hand_over(device, device.org_id, device.location_id, null,
    case when device.org_id <> device.maker_org_id then device.claimed_at end);
end
$$;
