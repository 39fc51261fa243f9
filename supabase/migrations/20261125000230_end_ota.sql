-- How executions end. The truth is what a device reports it runs; everything else is what it said on the way.

-- The caller holds the executions. Devices show no update as pending that has ended; one that is busy is met again by
-- ec.sweep_pending_firmware().
create function private.forget_pending_firmware(device_ids uuid[]) returns void
language sql security definer
set search_path = ''
as $$
  update public.devices d set pending_fw_version = null, pending_fw_url = null
  where d.id in (
    select x.id from public.devices x
    where x.id = any (device_ids) and x.pending_fw_version is not null
      and not exists (
        select from public.ota_job_devices e
        where e.device_num = x.num and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting'))
    order by x.id for no key update skip locked
  )
$$;

create function ec.sweep_pending_firmware() returns void
language sql security definer
set search_path = ''
as $$
  select private.forget_pending_firmware(array(select d.id from public.devices d where d.pending_fw_version is not null))
$$;
comment on function ec.sweep_pending_firmware() is 'Cron: devices that were busy when their update ended';

create function private.end_ota(execution_ids bigint[], state text, reason text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  messages bigint[];
  device_ids uuid[];
begin
  select array_agg(e.outbox_id), array_agg(e.device_id) into messages, device_ids
  from public.ota_job_devices e where e.id = any (execution_ids);
  if device_ids is null then
    return;
  end if;
  update public.ota_job_devices e set
    state = end_ota.state, reason = left(end_ota.reason, 500), outbox_id = null, not_before = null, timeout_at = null,
    percent = case when end_ota.state = 'succeeded' then null else e.percent end,
    changed_at = clock_timestamp(), finished_at = clock_timestamp()
  where e.id = any (execution_ids);
  perform private.withdraw_messages(messages);
  perform private.log_ota(execution_ids);
  perform private.show_ota(execution_ids);
  perform private.forget_pending_firmware(device_ids);
  perform pg_notify('ec_ota', '');
end
$$;

-- Whoever takes a device from its org, or retires it, ends what that org wanted of it.
create function private.end_ota_of_device() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  held bigint[];
begin
  perform from public.device_state s where s.device_num = new.num for no key update;
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.device_num = new.num and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
    order by e.id for update
  ) x;
  perform private.end_ota(held, 'cancelled', case when new.lifecycle = 'retired' then 'retired' else 'handed_over' end);
  return null;
end
$$;
create trigger devices_end_ota after update of org_id, customer_id, claimed_at, lifecycle on public.devices
  for each row when (
    new.lifecycle = 'retired' and old.lifecycle <> 'retired'
    or (old.org_id, old.customer_id, old.claimed_at) is distinct from (new.org_id, new.customer_id, new.claimed_at)
  ) execute function private.end_ota_of_device();

-- The executions that reports of these devices speak about: of each the open one, else the newest.
create function private.hold_current_otas(device_nums int[]) returns bigint[]
language plpgsql security definer
set search_path = ''
as $$
declare
  held bigint[];
begin
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.id = any (array(
      select c.id
      from public.devices d
      cross join lateral (
        select o.id from public.ota_job_devices o
        where o.device_id = d.id and o.org_id = d.org_id
        order by private.is_open(o.state) desc, o.queued_at desc, o.id desc limit 1
      ) c
      where d.num = any (device_nums)
    ))
    order by e.id for update
  ) x;
  return held;
end
$$;

-- Another version runs than before. After the fact too: who ran out of time and then reports the new version has it.
create function private.follow_firmware() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  changed int[];
  held bigint[];
  version text;
  gone bigint[];
begin
  select array_agg(c.num) into changed from (
    select n.num, n.fw_version from new_rows n where n.fw_version is not null
    except select o.num, o.fw_version from old_rows o
  ) c;
  if changed is null then
    return null;
  end if;
  -- Registering names a version as well.
  update public.device_state s set
    fw_version = n.fw_version, named_version = n.fw_version, named_version_at = clock_timestamp()
  from new_rows n
  where n.num = any (changed) and s.device_num = n.num and s.fw_version is distinct from n.fw_version;
  held := private.hold_current_otas(changed);
  if held is null then
    return null;
  end if;
  perform private.end_ota(array(
    select e.id
    from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id join new_rows n on n.id = e.device_id
    where e.id = any (held) and private.plain_version(n.fw_version) = j.version
      and (private.is_open(e.state) or e.state in ('failed', 'timed_out', 'rolled_back'))
  ), 'succeeded', null);
  -- What has not begun would take it back.
  perform private.end_ota(array(
    select e.id
    from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id join new_rows n on n.id = e.device_id
    where e.id = any (held) and e.state = 'queued' and not j.force and not private.is_on_its_way(e.outbox_id)
      and private.compare_versions(n.fw_version, j.version) > 0
  ), 'cancelled', 'It runs a newer version.');
  for version, gone in
    select n.fw_version, array_agg(e.id)
    from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id join new_rows n on n.id = e.device_id
    where e.id = any (held) and e.state = 'succeeded' and private.compare_versions(n.fw_version, j.version) < 0
      and j.state in ('running', 'paused')
    group by n.fw_version
  loop
    perform private.end_ota(gone, 'rolled_back', format('It runs %s again.', version));
  end loop;
  return null;
end
$$;
-- Once for all rows of a statement: a batch of packets may bring hundreds of devices that have restarted.
create trigger devices_follow_firmware after update on public.devices
  referencing old table as old_rows new table as new_rows
  for each statement execute function private.follow_firmware();

create function private.named_version(document jsonb) returns text
language sql immutable
set search_path = ''
as $$
  select nullif(left(btrim(v #>> '{}'), 64), '')
  from (select coalesce(document -> 'fw_version', document -> 'fw')) x (v)
  where jsonb_typeof(v) in ('string', 'number')
$$;
comment on function private.named_version(jsonb) is 'The firmware version a packet or document names; ingest has the same expression';

-- Called with the states held, for devices of which something new is known; `said` when they have just named their
-- version in a document of its own. A device row somebody else holds is skipped and its state stays marked, so that the
-- next packet comes here again.
create function private.note_versions(device_nums int[], said bool) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  there bigint[];
  gone bigint[];
begin
  perform private.hold_current_otas(device_nums);
  with news as (
    select d.id, d.num, s.named_version as version
    from public.device_state s join public.devices d on d.id = s.device_id
    where s.device_num = any (device_nums) and s.named_version <> coalesce(s.fw_version, '')
    order by d.id for no key update of d skip locked
  ), noted as (
    update public.device_state s set fw_version = n.version from news n where s.device_num = n.num
  )
  update public.devices d set fw_version = n.version from news n where d.id = n.id;
  update public.device_state s set pending = true
  where s.device_num = any (device_nums) and s.named_version <> coalesce(s.fw_version, '') and not s.pending;

  -- Of those that said they restart: once they have, the version they name decides; one named before the restart says
  -- nothing. That they have is certain when they started after they said so (five seconds are left to the way of that
  -- word), or introduce themselves in a new session; without either, they must name another version at two moments.
  with seen as (
    select e.id, private.plain_version(s.named_version) = j.version as is_new, s.named_version_at as at, e.old_seen_at, u.has_restarted,
      case when said then true when u.started_at is null then s.named_version_at > e.changed_at
        else s.named_version_at >= u.started_at - interval '2 seconds' end as is_of_now
    from public.ota_job_devices e
    join public.ota_jobs j on j.id = e.job_id
    join public.device_state s on s.device_num = e.device_num
    cross join lateral (
      select case when not said and jsonb_typeof(s.reported -> 'uptime') = 'number' and 'uptime' = any (s.packet_keys)
        then s.reported_at - make_interval(secs => least((s.reported ->> 'uptime')::float8, 1e9)) end as started_at
    ) t
    cross join lateral (
      select t.started_at, case when said then s.connected_changed_at > e.changed_at
        else t.started_at > e.changed_at - interval '5 seconds' end as has_restarted
    ) u
    where e.device_num = any (device_nums) and e.state = 'rebooting' and s.named_version is not null
  ), doubtful as (
    update public.ota_job_devices e set old_seen_at = n.at from seen n
    where e.id = n.id and n.old_seen_at is null and n.is_of_now and n.has_restarted is null
  ), sure as (
    select n.id, n.is_new from seen n where n.is_of_now and coalesce(n.has_restarted, n.at > n.old_seen_at)
  )
  select array_agg(x.id) filter (where x.is_new), array_agg(x.id) filter (where not x.is_new) into there, gone from sure x;
  perform private.end_ota(there, 'succeeded', null);
  perform private.end_ota(array[e.id], 'rolled_back', format('It runs %s again.', s.named_version))
  from public.ota_job_devices e join public.device_state s on s.device_num = e.device_num
  where e.id = any (gone);
end
$$;
comment on function private.note_versions(int[], bool) is
  'devices.fw_version follows what devices name, and executions follow that';
