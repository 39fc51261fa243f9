-- What the broker keeps for a device lives as long as the device may read it, and comes back when a broker lost it.

create index mqtt_outbox_retained_idx on ec.mqtt_outbox (id) where retain and sent_at is not null;

create function ec.retained_mark() returns bigint
language sql stable security definer
set search_path = ''
as $$ select max(o.id) from ec.mqtt_outbox o where o.retain and o.sent_at is not null $$;
comment on function ec.retained_mark() is
  'Newest retained message a broker acknowledged, null when none of the last day: a broker that knows an older one lost some';

-- The rows are locked until the messages have their place in the outbox: a change that commits meanwhile comes
-- after its older copy, never before.
create function ec.restore_retained() returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
  messages int := 0;
begin
  for device in
    select d.* from public.devices d where d.desired <> '{}' and d.lifecycle <> 'retired' order by d.id for share
  loop
    continue when not exists (select from ec.mqtt_credentials c where c.serial = device.serial);
    perform private.send_desired(device);
    messages := messages + 2;
  end loop;
  return messages;
end
$$;
comment on function ec.restore_retained() is 'Sends the retained messages of all devices again; returns how many';

grant execute on function ec.retained_mark(), ec.restore_retained() to ec_bridge;

-- The first secret after a time without any: what was cleared with the last one is there again.
create or replace function private.store_secret(
  device public.devices, secret_sha256 bytea, password_hash text, salt text
) returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
  credential_id uuid;
begin
  if device.desired <> '{}' and not exists (select from ec.mqtt_credentials c where c.serial = device.serial) then
    perform private.send_desired(device);
  end if;
  insert into public.device_credentials
    (device_id, serial, password_hash, salt, secret_sha256, issued_by_kind, issued_by_id)
  values (device.id, device.serial, password_hash, salt, secret_sha256, private.actor_kind(), private.actor_id())
  returning id into credential_id;
  perform pg_notify('ec_credentials', device.serial);
  return credential_id;
end
$$;

create or replace function ec.expire_credentials(at timestamptz) returns int
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
  perform private.clear_retained(gone.serial) from unnest(expired) gone (serial)
  where not exists (select from ec.mqtt_credentials c where c.serial = gone.serial);
  return coalesce(cardinality(expired), 0);
end
$$;
