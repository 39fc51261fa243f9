-- Whoever changes a device holds its row and then its state; ingest holds the state, and a second write of it in one
-- transaction asks for the device's key. FOR UPDATE would refuse that, and the two would wait for each other.

create or replace function private.lock_device(serial text, action text) returns public.devices
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
begin
  select d.* into device from public.devices d where d.serial = lock_device.serial for no key update;
  if private.can(device.org_id, action) then
    if private.actor_kind() = 'provisioning_key' then
      perform private.refuse('EC403', 'forbidden', 'A provisioning key only registers devices.');
    end if;
    return device;
  end if;
  if device.id = any (array(select private.my_device_ids())) then
    perform private.refuse('EC403', 'forbidden', 'You may read this device but not change it.');
  end if;
  perform private.require_org(device.org_id, action);
  return device;
end
$$;
