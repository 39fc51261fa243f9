-- A tenure is a stretch of time in which a device has one holder, room, customer and set of tenants. Readings
-- carry its id, so that whoever comes later sees nothing from before.

create function private.has_tenants(location_id uuid) returns bool
language sql stable security definer
set search_path = ''
as $$
  select exists (
    select from public.memberships m
    where m.location_id = has_tenants.location_id and m.role = 'tenant' and m.ended_at is null
  )
$$;

-- forget: the shadow and the baselines belong to whoever leaves; desired, reported and retained messages go.
create function private.start_tenure(device_id uuid, forget bool) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  new_tenure int;
  tenure_start timestamptz;
begin
  select d.* into strict device from public.devices d where d.id = start_tenure.device_id for update;
  update public.device_tenures t set ended_at = greatest(clock_timestamp(), t.started_at)
  where t.device_id = device.id and t.ended_at is null;
  insert into public.device_tenures (device_id, device_num, org_id, location_id, customer_id)
  values (device.id, device.num, device.org_id, device.location_id, device.customer_id)
  returning id, started_at into new_tenure, tenure_start;

  update public.devices d set
    tenure_id = new_tenure,
    desired = case when forget then '{}' else d.desired end,
    desired_version = d.desired_version + case when forget and d.desired <> '{}' then 1 else 0 end
  where d.id = device.id;

  insert into public.device_state as s
    (device_num, device_id, serial, org_num, tenure_id, product_type)
  select device.num, device.id, device.serial, o.num, new_tenure, device.product_type
  from public.orgs o where o.id = device.org_id
  on conflict (device_num) do update set
    org_num = excluded.org_num, tenure_id = excluded.tenure_id, tenure_started_at = tenure_start;

  if forget then
    update public.device_state s set
      reported = '{}', reported_at = null, older = '{}', reported_version = s.reported_version + 1,
      w_temp = '{}', w_hum = '{}', w_co2 = '{}', w_bat = '{}', s_temp = 0, s_hum = 0, s_co2 = 0, s_bat = 0
    where s.device_num = device.num;
    perform private.clear_retained(device.serial);
  end if;
  return new_tenure;
end
$$;

-- Tenancy is a matter of memberships: whoever writes them, tenures and live topics follow.
create function private.follow_membership() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  was_active bool := tg_op <> 'INSERT' and old.ended_at is null;
  is_active bool := tg_op <> 'DELETE' and new.ended_at is null;
  lost_access bool := was_active and (
    not is_active or (old.user_id, old.role, old.partner_id, old.org_id, old.location_id)
      is distinct from (new.user_id, new.role, new.partner_id, new.org_id, new.location_id));
  gained_access bool := is_active and (not was_active or lost_access);
begin
  if lost_access then
    -- Live topics carry the epoch: sockets that joined under the old one hear nothing new.
    update public.orgs o set live_epoch = o.live_epoch + 1
    where o.id = old.org_id or o.partner_id = old.partner_id or old.role = 'admin';
  end if;
  if lost_access and old.role = 'tenant' then
    perform private.start_tenure(d.id, not private.has_tenants(old.location_id))
    from public.devices d where d.org_id = old.org_id and d.location_id = old.location_id and d.lifecycle <> 'retired';
  end if;
  if gained_access and new.role = 'tenant' then
    perform private.start_tenure(d.id, false)
    from public.devices d where d.org_id = new.org_id and d.location_id = new.location_id and d.lifecycle <> 'retired';
  end if;
  return null;
end
$$;
create trigger memberships_are_followed after insert or update or delete on public.memberships
  for each row execute function private.follow_membership();
