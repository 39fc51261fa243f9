-- When a device started and why: what a crash-free hour of a firmware version is counted from.

create table public.device_reboots (
  device_num int not null,
  booted_at timestamptz not null,
  seen_at timestamptz not null,
  org_num int not null,
  tenure_id int not null,
  reason text,
  fw_version text,
  previous_uptime_s float8,
  primary key (device_num, booted_at),
  constraint reason_is_short check (length(reason) <= 40),
  constraint fw_version_is_short check (length(fw_version) <= 64)
);
create index device_reboots_org_num_idx on public.device_reboots (org_num, booted_at);
comment on table public.device_reboots is 'One row per start of a device, from the first packet after it';
comment on column public.device_reboots.booted_at is 'The packet''s time less the uptime it reports';
comment on column public.device_reboots.reason is 'As the device says it, in capitals: POWERON, SW, PANIC, …; null = it did not say';
comment on column public.device_reboots.fw_version is 'What runs since then';
comment on column public.device_reboots.previous_uptime_s is 'How long it had run before, as last heard';

-- As readings: whoever held the device then.
alter table public.device_reboots enable row level security;
create policy device_reboots_select on public.device_reboots for select to authenticated
  using (
    org_num = any (array(select private.my_org_nums())) or tenure_id = any (array(select private.my_tenure_ids()))
  );
grant select on public.device_reboots to authenticated, service_role;

-- Uptimes are whole seconds and packets take a moment: what lies within five seconds is the same start.
create function private.note_boots(boots jsonb) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  noted int;
begin
  with boot as (
    select distinct on (s.device_num, round(extract(epoch from b.booted_at) / 5))
      s.device_num, s.org_num, s.tenure_id, b.*
    from jsonb_to_recordset(boots) as j (num int, at timestamptz, uptime float8, reason text, fw_version text, previous_uptime float8)
    join public.device_state s on s.device_num = j.num
    cross join lateral (
      select j.at - make_interval(secs => least(greatest(coalesce(j.uptime, 0), 0), 1e9)) as booted_at, j.at as seen_at,
        upper(left(btrim(j.reason), 40)) as reason, left(j.fw_version, 64) as fw_version,
        case when j.previous_uptime >= 0 then least(j.previous_uptime, 1e9) end as previous_uptime_s
    ) b
    order by 1, round(extract(epoch from b.booted_at) / 5), b.seen_at
  ), known as (
    update public.device_reboots r set
      reason = coalesce(r.reason, b.reason), fw_version = coalesce(r.fw_version, b.fw_version),
      previous_uptime_s = coalesce(r.previous_uptime_s, b.previous_uptime_s)
    from boot b
    where r.device_num = b.device_num
      and r.booted_at between b.booted_at - interval '5 seconds' and b.booted_at + interval '5 seconds'
    returning b.device_num, b.booted_at
  )
  insert into public.device_reboots (device_num, booted_at, seen_at, org_num, tenure_id, reason, fw_version, previous_uptime_s)
  select b.device_num, b.booted_at, b.seen_at, b.org_num, b.tenure_id, b.reason, b.fw_version, b.previous_uptime_s
  from boot b
  where not exists (select from known k where k.device_num = b.device_num and k.booted_at = b.booted_at)
  on conflict (device_num, booted_at) do nothing;
  get diagnostics noted = row_count;
  return noted;
end
$$;
comment on function private.note_boots(jsonb) is
  '[{num, at ISO time, uptime s|null, reason|null, fw_version|null, previous_uptime s|null}] → new ones. The same start again (±5 s) only fills what was missing';
