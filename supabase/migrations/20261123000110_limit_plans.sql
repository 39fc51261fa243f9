-- What a plan allows. Null = as many as wanted.

create table public.plan_limits (
  plan text primary key,
  max_devices int,
  max_users int,
  max_orgs int,
  constraint plan_is_known check (plan in ('starter', 'pro', 'business', 'enterprise')),
  constraint limits_are_positive check (least(max_devices, max_users, max_orgs) > 0)
);
comment on column public.plan_limits.max_devices is 'Of an org; retired ones do not count';
comment on column public.plan_limits.max_users is 'Org admins, operators and viewers of an org; customers and tenants do not count';
comment on column public.plan_limits.max_orgs is 'Of a partner';

insert into public.plan_limits (plan, max_devices, max_users, max_orgs) values
  ('starter', 1000, 25, null),
  ('pro', 10000, 100, null),
  ('business', 100000, 1000, null),
  ('enterprise', null, null, null);

alter table public.plan_limits enable row level security;
create policy plan_limits_select on public.plan_limits for select to authenticated using (true);
grant select on public.plan_limits to authenticated, service_role;

-- Counting the devices of an org is an index scan.
create index devices_alive_org_id_idx on public.devices (org_id) where lifecycle <> 'retired';

create function private.refuse_over_plan(plan text, kind text, most int, used int) returns void
language sql
set search_path = ''
as $$
  select private.refuse('EC403', 'plan_limit',
    format('The plan "%s" allows %s %s, and %s are in use. Make room or change the plan.', plan,
      to_char(most, 'FM999,999,999'),
      case kind when 'devices' then 'devices' when 'users' then 'people' else 'organisations' end,
      to_char(used, 'FM999,999,999')),
    jsonb_build_object('plan', plan, 'kind', kind, 'limit', most, 'used', used))
$$;

-- GUARD: before something is added to an org. kind: devices or users; promised = seats of open invitations.
create function private.require_room_in_plan(org_id uuid, kind text, wanted int default 1, promised int default 0)
returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  held record;
  used int;
  slot text := format('%s:%s:', kind, org_id);
  cached text := coalesce(current_setting('ec.plan_used', true), '');
begin
  select o.plan, case kind when 'devices' then l.max_devices else l.max_users end as most into held
  from public.orgs o join public.plan_limits l on l.plan = o.plan where o.id = require_room_in_plan.org_id;
  if held.most is null then
    return;
  end if;
  -- One at a time, so that two cannot take the last place.
  perform pg_advisory_xact_lock(hashtextextended('private.require_room_in_plan ' || slot, 0));
  if kind = 'users' then
    select count(distinct m.user_id) into used from public.memberships m
    where m.org_id = require_room_in_plan.org_id and m.role in ('org_admin', 'operator', 'viewer') and m.ended_at is null;
  elsif starts_with(cached, slot) then
    -- A transaction that adds hundreds counts once: the lock keeps others from adding meanwhile.
    used := substr(cached, length(slot) + 1);
  else
    select count(*) into used from public.devices d
    where d.org_id = require_room_in_plan.org_id and d.lifecycle <> 'retired';
  end if;
  if used + promised + wanted > held.most then
    perform private.refuse_over_plan(held.plan, kind, held.most, used + promised);
  end if;
  if kind = 'devices' then
    perform set_config('ec.plan_used', slot || used + wanted, true);
  end if;
end
$$;

create function private.require_orgs_in_plan(partner_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  held record;
  used int;
begin
  select p.plan, l.max_orgs as most into held
  from public.partners p join public.plan_limits l on l.plan = p.plan
  where p.id = require_orgs_in_plan.partner_id for no key update of p;
  if held.most is null then
    return;
  end if;
  select count(*) into used from public.orgs o where o.partner_id = require_orgs_in_plan.partner_id;
  if used >= held.most then
    perform private.refuse_over_plan(held.plan, 'orgs', held.most, used);
  end if;
end
$$;

-- A new row, or null when the serial was taken meanwhile.
create or replace function private.create_device(serial text, product_type text, fw_version text, org_id uuid)
returns public.devices
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices;
begin
  if exists (
    select from public.serial_prefixes r
    where starts_with(create_device.serial, r.prefix) and r.maker_org_id <> create_device.org_id
  ) then
    perform private.refuse('EC409', 'serial_taken', 'This serial number is not available.');
  end if;
  perform private.require_room_in_plan(create_device.org_id, 'devices');
  insert into public.devices (serial, product_type, fw_version, maker_org_id, org_id, registered_by_kind, registered_by_id)
  values (serial, product_type, fw_version, org_id, org_id, private.actor_kind(), private.actor_id())
  on conflict on constraint devices_serial_key do nothing
  returning * into device;
  if device.id is not null then
    perform private.start_tenure(device.id, false);
  end if;
  return device;
end
$$;

create or replace function private.revive_device(device public.devices) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if private.actor_kind() = 'provisioning_key' then
    perform private.refuse('EC409', 'conflict', 'This device was retired. Somebody of its organisation can register it again.');
  end if;
  perform private.require_room_in_plan(device.org_id, 'devices');
  update public.devices d set
    lifecycle = case when d.claimed_at is null then 'manufactured' else 'claimed' end, retired_at = null,
    registered_by_kind = private.actor_kind(), registered_by_id = private.actor_id(), registered_at = clock_timestamp()
  where d.id = device.id;
  perform private.start_tenure(device.id, true);
end
$$;
