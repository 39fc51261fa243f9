-- Saved filters of an org's devices: for its lists, and as the target of update jobs. A filter is a question; who it
-- names is decided when it is asked.

create table public.device_filters (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  name text not null,
  filter jsonb not null,
  created_by_kind text not null,
  created_by_id uuid,
  created_by_label text,
  created_at timestamptz not null default clock_timestamp(),
  constraint name_is_valid check (length(btrim(name)) between 1 and 200),
  constraint filter_is_an_object check (jsonb_typeof(filter) = 'object' and octet_length(filter::text) <= 4096)
);
create unique index device_filters_name_is_unique on public.device_filters (org_id, lower(name));
comment on column public.device_filters.filter is
  '{room_id?, location_id?, product_type?, status?, lifecycle?, tag?, fw_version?, q?}: all must hold';

alter table public.device_filters enable row level security;
create policy device_filters_select on public.device_filters for select to authenticated
  using (org_id = any (array(select private.my_org_ids())));
grant select on public.device_filters to authenticated, service_role;

create function private.require_filter(filter jsonb) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  entry record;
begin
  perform private.require_keys(filter,
    array['room_id', 'location_id', 'product_type', 'status', 'lifecycle', 'tag', 'fw_version', 'q']);
  for entry in select e.key, e.value, e.value #>> '{}' as word from jsonb_each(filter) e loop
    if jsonb_typeof(entry.value) <> 'string' or length(entry.word) not between 1 and 100
      or entry.key in ('room_id', 'location_id') and entry.word !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      or entry.key = 'status' and entry.word not in ('online', 'offline', 'never_seen')
      or entry.key = 'lifecycle' and entry.word not in ('manufactured', 'claimed', 'active', 'retired') then
      perform private.refuse('EC400', 'invalid_request', format('%s cannot be %s.', entry.key, left(entry.value::text, 60)));
    end if;
  end loop;
end
$$;
comment on function private.require_filter(jsonb) is 'EC400 unless it is a filter of devices';

-- As GET /devices: a place stands for all below it, retired devices only when asked for.
create function private.filtered_devices(org_id uuid, filter jsonb) returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  with recursive below as (
    select l.id from public.locations l
    where l.org_id = filtered_devices.org_id and l.id = coalesce(filter ->> 'room_id', filter ->> 'location_id')::uuid
    union select l.id from public.locations l join below b on l.parent_id = b.id
  )
  select d.id
  from public.devices d
  join public.product_types t on t.key = d.product_type
  left join public.device_state s on s.device_num = d.num
  where d.org_id = filtered_devices.org_id
    and (not filter ?| array['room_id', 'location_id'] or d.location_id in (select b.id from below b))
    and (not filter ? 'product_type' or d.product_type = filter ->> 'product_type')
    and (not filter ? 'fw_version' or d.fw_version = filter ->> 'fw_version')
    and (not filter ? 'tag' or d.tags @> array[filter ->> 'tag'])
    and (not filter ? 'status' or filter ->> 'status'
      = ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), clock_timestamp()))
    and case when filter ? 'lifecycle' then d.lifecycle = filter ->> 'lifecycle' else d.lifecycle <> 'retired' end
    and (not filter ? 'q' or position(lower(filter ->> 'q') in lower(d.serial)) > 0
      or position(lower(filter ->> 'q') in lower(d.name)) > 0)
$$;

create function private.filter_json(filter public.device_filters) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object('id', filter.id, 'org_id', filter.org_id, 'name', filter.name, 'filter', filter.filter,
    'created_by', filter.created_by_label, 'created_at', ec.iso_time(filter.created_at))
$$;

create function ec.save_device_filter(org_id uuid, name text, filter jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  max_filters constant int := 100;
  saved public.device_filters;
begin
  perform private.require_org(save_device_filter.org_id, 'control');
  perform private.require_filter(save_device_filter.filter);
  if (select count(*) from public.device_filters f where f.org_id = save_device_filter.org_id) >= max_filters then
    perform private.refuse('EC409', 'conflict', format('An organisation keeps at most %s filters.', max_filters));
  end if;
  insert into public.device_filters (org_id, name, filter, created_by_kind, created_by_id, created_by_label)
  values (save_device_filter.org_id, btrim(save_device_filter.name), save_device_filter.filter,
    coalesce(private.actor_kind(), 'system'), private.actor_id(), private.actor_label())
  returning * into saved;
  perform private.write_audit('device_filter_saved', 'device_filter', saved.id::text, saved.org_id, null,
    jsonb_build_object('name', saved.name, 'filter', saved.filter));
  return private.filter_json(saved);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'A filter of this name exists already.');
end
$$;
comment on function ec.save_device_filter(uuid, text, jsonb) is
  'Action control → {id, org_id, name, filter, created_by, created_at}. EC400, EC403, EC404, EC409 conflict';

create function ec.delete_device_filter(filter_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  saved public.device_filters;
begin
  select f.* into saved from public.device_filters f where f.id = delete_device_filter.filter_id for update;
  perform private.require_org(saved.org_id, 'control');
  delete from public.device_filters f where f.id = saved.id;
  perform private.write_audit('device_filter_deleted', 'device_filter', saved.id::text, saved.org_id,
    jsonb_build_object('name', saved.name, 'filter', saved.filter));
end
$$;
comment on function ec.delete_device_filter(uuid) is 'Action control; jobs made from it keep their devices. EC403, EC404';

grant execute on function ec.save_device_filter(uuid, text, jsonb), ec.delete_device_filter(uuid) to authenticated;
