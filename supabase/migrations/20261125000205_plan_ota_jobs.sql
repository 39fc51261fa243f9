-- Who a job is for: the devices it names, who of them gets it and why the others do not, and in which stage.

create function private.zone_of(org_id uuid, location_id uuid) returns text
language sql stable security definer
set search_path = ''
as $$
  with recursive up as (
    select l.parent_id, l.timezone, 1 as depth from public.locations l where l.id = zone_of.location_id
    union all
    select l.parent_id, l.timezone, up.depth + 1 from up join public.locations l on l.id = up.parent_id
  )
  select coalesce((select up.timezone from up where up.timezone is not null order by up.depth limit 1), o.timezone)
  from public.orgs o where o.id = zone_of.org_id
$$;
comment on function private.zone_of(uuid, uuid) is 'IANA zone of a place: its own, of what it lies in, of its org';

-- The next moment inside the window, `at` itself when that lies in it. A window that ends before it starts goes over
-- midnight and belongs to the day it starts on.
create function private.window_opens(job_window jsonb, zone text, at timestamptz) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
declare
  starts time := job_window ->> 'start';
  ends time := job_window ->> 'end';
  day date := (at at time zone zone)::date - 1;
begin
  for n in 0 .. 8 loop
    if (not job_window ? 'days' or job_window -> 'days' ? lower(to_char(day + n, 'dy')))
      and at < (day + n + (ends <= starts)::int + ends) at time zone zone then
      return greatest(at, (day + n + starts) at time zone zone);
    end if;
  end loop;
end
$$;

create function private.is_int(value jsonb, least_value int, most int) returns bool
language sql immutable
set search_path = ''
as $$
  select coalesce(jsonb_typeof(value) = 'number' and (value #>> '{}')::numeric % 1 = 0
    and (value #>> '{}')::numeric between least_value and most, false)
$$;

-- The input of a job with every default filled in. EC400 for what makes no sense.
create function private.read_job_input(input jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  job jsonb;
  part jsonb;
  highest numeric := 0;
  problem text;
begin
  perform private.require_keys(input, array['firmware_id', 'target', 'stages', 'failure_pct', 'failure_min', 'timeout_s', 'force',
    'window', 'starts_at', 'name']);
  job := '{"stages": [{"percent": 100}], "failure_pct": 20, "timeout_s": 1800, "force": false}' || jsonb_strip_nulls(input);

  if coalesce(job ->> 'firmware_id', '') !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    problem := 'Say which firmware with firmware_id.';
  elsif not private.is_int(job -> 'failure_pct', 1, 100) then
    problem := 'failure_pct is a percentage from 1 to 100.';
  elsif job ? 'failure_min' and not private.is_int(job -> 'failure_min', 1, 100000) then
    problem := 'failure_min is a number of devices from 1.';
  elsif not private.is_int(job -> 'timeout_s', 60, 604800) then
    problem := 'timeout_s is a number of seconds from 60 to 604800.';
  elsif jsonb_typeof(job -> 'force') <> 'boolean' then
    problem := 'force is true or false.';
  elsif job ? 'name' and length(btrim(job ->> 'name')) not between 1 and 200 then
    problem := 'A name has 1 to 200 characters.';
  elsif jsonb_typeof(job -> 'stages') <> 'array' or jsonb_array_length(job -> 'stages') not between 1 and 20 then
    problem := 'stages is a list of 1 to 20 stages.';
  elsif (jsonb_typeof(job -> 'target') = 'object') is not true
    or (select count(*) from jsonb_object_keys(job -> 'target')) <> 1 then
    problem := 'A target has one of serials, filter, filter_id, product_type.';
  end if;
  if problem is null then
    for part in select s from jsonb_array_elements(job -> 'stages') s loop
      if jsonb_typeof(part) <> 'object' or num_nonnulls(part -> 'count', part -> 'percent', part -> 'serials') <> 1 then
        problem := 'A stage has one of count, percent, serials.';
      elsif part ? 'count' and not private.is_int(part -> 'count', 1, 50000) then
        problem := 'count is a number of devices from 1 to 50000.';
      elsif part ? 'percent' and (jsonb_typeof(part -> 'percent') <> 'number'
        or (part ->> 'percent')::numeric <= highest or (part ->> 'percent')::numeric > 100) then
        problem := 'percent counts from the beginning: each is more than the one before, up to 100.';
      elsif part ? 'serials' and (jsonb_typeof(part -> 'serials') <> 'array' or jsonb_array_length(part -> 'serials') not between 1 and 1000) then
        problem := 'serials of a stage is a list of 1 to 1000 serials.';
      elsif part ? 'soak_s' and not private.is_int(part -> 'soak_s', 0, 2592000) then
        problem := 'soak_s is a number of seconds up to 30 days.';
      end if;
      exit when problem is not null;
      highest := greatest(highest, (part ->> 'percent')::numeric);
    end loop;
  end if;
  if problem is null and job ? 'window' then
    part := job -> 'window';
    if coalesce(part ->> 'start', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$' or coalesce(part ->> 'end', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
      or part ->> 'start' = part ->> 'end' then
      problem := 'A window has start and end as HH:MM, and they differ.';
    elsif part ? 'days' and (jsonb_typeof(part -> 'days') <> 'array' or part -> 'days' = '[]'
      or not '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]' @> (part -> 'days')) then
      problem := 'days are some of mon, tue, wed, thu, fri, sat, sun.';
    end if;
  end if;
  if problem is not null then
    perform private.refuse('EC400', 'invalid_request', problem);
  end if;
  return job;
end
$$;

-- Devices the target names, as far as they are the org's; with `named`, serials nobody of the org has.
create function private.ota_targets(org_id uuid, target jsonb, out device_ids uuid[], out missing text[])
language plpgsql stable security definer
set search_path = ''
as $$
declare
  serials text[];
  filter jsonb := target -> 'filter';
begin
  missing := '{}';
  if target ? 'serials' then
    if jsonb_typeof(target -> 'serials') <> 'array' or jsonb_array_length(target -> 'serials') not between 1 and 10000 then
      perform private.refuse('EC400', 'invalid_request', 'serials is a list of 1 to 10000 serials.');
    end if;
    serials := array(select distinct s from jsonb_array_elements_text(target -> 'serials') s);
    device_ids := array(select d.id from public.devices d where d.serial = any (serials) and d.org_id = ota_targets.org_id);
    missing := array(
      select s from unnest(serials) s
      where not exists (select from public.devices d where d.serial = s and d.org_id = ota_targets.org_id) order by s);
    return;
  elsif target ? 'filter_id' then
    select f.filter into filter from public.device_filters f
    where f.id::text = target ->> 'filter_id' and f.org_id = ota_targets.org_id;
    if filter is null then
      perform private.refuse_missing();
    end if;
  elsif target ? 'product_type' then
    filter := jsonb_build_object('product_type', target ->> 'product_type');
  elsif not target ? 'filter' then
    perform private.refuse('EC400', 'invalid_request', 'A target has one of serials, filter, filter_id, product_type.');
  end if;
  perform private.require_filter(filter);
  device_ids := array(select private.filtered_devices(ota_targets.org_id, filter));
end
$$;

-- GUARD: ready, and of the org or of the maker of one of its devices.
create function private.usable_firmware(org_id uuid, firmware_id uuid) returns public.firmware
language plpgsql stable security definer
set search_path = ''
as $$
declare
  firmware public.firmware;
begin
  select f.* into firmware from public.firmware f
  where f.id = usable_firmware.firmware_id and (f.org_id = usable_firmware.org_id or f.state = 'ready' and exists (
    select from public.devices d
    where d.org_id = usable_firmware.org_id and d.product_type = f.product_type and d.maker_org_id = f.org_id));
  if firmware.id is null then
    perform private.refuse_missing();
  elsif firmware.state <> 'ready' then
    perform private.refuse('EC409', 'conflict', 'This firmware is not ready for use.', jsonb_build_object('state', firmware.state));
  end if;
  return firmware;
end
$$;

create type private.ota_place as (
  device_id uuid, device_num int, serial text, name text, fw_version text, status text,
  reason text, detail jsonb, stage int, "position" int
);

-- reason null = gets it. One reason each, the first that holds. Their position: whoever is there comes first, then by a
-- hash that the same job number gives again. No stages yet.
create function private.ota_candidates(firmware public.firmware, device_ids uuid[], force bool, number int)
returns setof private.ota_place
language sql stable security definer
set search_path = ''
as $$
  with found as materialized (
    select d.id, d.num, d.serial, d.name, d.fw_version, d.product_type, d.lifecycle, d.maker_org_id,
      ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), clock_timestamp()) as status,
      coalesce(s.reported ->> 'chip', d.attributes ->> 'chip') as chip
    from public.devices d
    join public.product_types t on t.key = d.product_type
    left join public.device_state s on s.device_num = d.num
    where d.id = any (device_ids)
  ), versions as materialized (
    -- A fleet has many devices and few versions.
    select v.fw_version, private.plain_version(v.fw_version) is not distinct from firmware.version as is_same,
      private.compare_versions(v.fw_version, firmware.version) > 0 as is_newer
    from (select distinct f.fw_version from found f where f.fw_version is not null) v
  ), chips as materialized (
    select c.chip, private.chip_key(c.chip) <> firmware.chip as is_other
    from (select distinct f.chip from found f where f.chip is not null) c
  ), busy as (
    -- On its way: with the device, or with a bridge that holds its message.
    select e.device_num, j.number
    from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id
    where e.device_id = any (device_ids) and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
      and (e.state <> 'queued' or e.outbox_id is not null and exists (
        select from ec.mqtt_outbox o
        where o.id = e.outbox_id and o.sent_at is null and o.claimed_until > clock_timestamp()))
  )
  select c.id, c.num, c.serial, c.name, c.fw_version, c.status, c.reason,
    case when c.reason = 'busy' then jsonb_build_object('job', c.busy) when c.reason = 'other_chip' then jsonb_build_object('chip', c.chip)
      when c.reason = 'other_type' then jsonb_build_object('product_type', c.product_type) end,
    null::int,
    (row_number() over (order by c.reason is not null, c.status <> 'online',
      md5(ota_candidates.number || ' ' || c.serial) collate "C", c.serial))::int
  from (
    select f.*, b.number as busy, case
        when f.lifecycle = 'retired' then 'retired'
        when f.product_type <> firmware.product_type then 'other_type'
        when f.maker_org_id <> firmware.org_id then 'other_maker'
        when h.is_other then 'other_chip'
        when not force and v.is_same then 'same_version'
        when not force and v.is_newer then 'newer_version'
        when b.number is not null then 'busy'
      end as reason
    from found f
    left join versions v on v.fw_version = f.fw_version
    left join chips h on h.chip = f.chip
    left join busy b on b.device_num = f.num
  ) c
$$;

-- Which of `free` devices, in their order, and how many of the named ones each stage takes. A list that leaves devices
-- over gets a last stage for them.
create function private.split_stages(stages jsonb, free int, named int[]) returns table (stage int, part jsonb, upto int)
language plpgsql immutable
set search_path = ''
as $$
declare
  total int := free + (select coalesce(sum(n), 0) from unnest(named) n);
  given int := 0;
  wanted int;
begin
  upto := 0;
  stage := 0;
  for part in select s from jsonb_array_elements(stages) with ordinality x (s, n) order by n loop
    given := given + coalesce(named[stage + 1], 0);
    wanted := case
      when part ? 'count' then (part ->> 'count')::int
      when part ? 'percent' then greatest(ceil(total * (part ->> 'percent')::numeric / 100)::int - given, 0)
      else 0
    end;
    wanted := least(wanted, free - upto);
    upto := upto + wanted;
    given := given + wanted;
    part := '{"soak_s": 0}' || part || jsonb_build_object('devices', wanted + coalesce(named[stage + 1], 0));
    return next;
    stage := stage + 1;
  end loop;
  if upto < free then
    part := jsonb_build_object('percent', 100, 'soak_s', 0, 'devices', free - upto);
    upto := free;
    return next;
  end if;
end
$$;

create function private.plan_job(
  firmware public.firmware, device_ids uuid[], job jsonb, number int, out stages jsonb, out places private.ota_place[]
)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  candidates private.ota_place[];
  named_in jsonb;
  named int[];
  bounds int[];
  free int;
begin
  select coalesce(array_agg(c order by c.position), '{}') into candidates
  from private.ota_candidates(plan_job.firmware, plan_job.device_ids, (job -> 'force')::bool, plan_job.number) c;
  -- Serial → the first stage that names it.
  select coalesce(jsonb_object_agg(x.serial, x.stage), '{}') into named_in
  from (
    select serial, min(s.n - 1) as stage
    from jsonb_array_elements(job -> 'stages') with ordinality s (part, n),
      jsonb_array_elements_text(coalesce(s.part -> 'serials', '[]')) serial
    group by serial
  ) x;
  select count(*) into free from unnest(candidates) c where c.reason is null and not named_in ? c.serial;
  select array_agg((
    select count(*) from unnest(candidates) c where c.reason is null and (named_in -> c.serial)::int = n
  ) order by n) into named
  from generate_series(0, jsonb_array_length(job -> 'stages') - 1) n;
  select jsonb_agg(s.part order by s.stage), array_agg(s.upto order by s.stage) into stages, bounds
  from private.split_stages(job -> 'stages', free, named) s;

  select coalesce(array_agg(
    (p.device_id, p.device_num, p.serial, p.name, p.fw_version, p.status, p.reason, p.detail, p.stage, p.position)::private.ota_place
    order by p.stage, p.position), '{}')
  into places
  from (
    select c.*, case when c.reason is null then coalesce((named_in -> c.serial)::int,
      (select min(b.n - 1)::int from unnest(bounds) with ordinality b (upto, n) where c.nth <= b.upto)) end as stage
    from (
      select x.device_id, x.device_num, x.serial, x.name, x.fw_version, x.status, x.reason, x.detail, x.position,
        count(*) filter (where x.reason is null and not named_in ? x.serial) over (order by x.position) as nth
      from unnest(candidates) x
    ) c
  ) p;
end
$$;
comment on function private.plan_job(public.firmware, uuid[], jsonb, int) is
  'stages with how many devices each has, and every device with its stage or its reason to stay out';
