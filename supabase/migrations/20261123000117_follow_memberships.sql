-- Tenancy is a matter of memberships: whoever writes them, tenures, portals and live topics follow. Devices are
-- locked before orgs, as claiming does.

create or replace function private.follow_membership() returns trigger
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
  device public.devices;
begin
  if lost_access and old.role = 'tenant' then
    for device in
      select d.* from public.devices d
      where d.org_id = old.org_id and d.location_id = old.location_id and d.lifecycle <> 'retired' order by d.id
    loop
      perform private.start_tenure(device.id, not private.has_tenants(old.location_id));
    end loop;
  end if;
  if lost_access and old.role = 'customer' then
    for device in
      select d.* from public.devices d
      where d.customer_id = old.user_id and d.org_id = old.org_id and d.lifecycle <> 'retired' order by d.id for no key update
    loop
      perform private.remove_customer(device);
      perform private.write_audit('device_unclaimed', 'device', device.serial, device.org_id,
        jsonb_build_object('customer_id', device.customer_id), '{"customer_id": null}');
    end loop;
  end if;
  if gained_access and new.role = 'tenant' then
    for device in
      select d.* from public.devices d
      where d.org_id = new.org_id and d.location_id = new.location_id and d.lifecycle <> 'retired' order by d.id
    loop
      perform private.start_tenure(device.id, false);
      perform private.forget_readings(device.id);
    end loop;
  end if;
  if lost_access then
    -- Live topics carry the epoch: sockets that joined under the old one hear nothing new.
    perform from public.orgs o
    where o.id = old.org_id or o.partner_id = old.partner_id or old.role = 'admin' order by o.id for no key update;
    update public.orgs o set live_epoch = o.live_epoch + 1
    where o.id = old.org_id or o.partner_id = old.partner_id or old.role = 'admin';
  end if;
  return null;
end
$$;

-- Before the foreign keys forget who they were: what a deleted account had is given back as when access ends.
create function private.end_memberships() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from public.memberships m where m.user_id = old.id;
  return old;
end
$$;
create trigger profiles_end_memberships before delete on public.profiles
  for each row execute function private.end_memberships();
