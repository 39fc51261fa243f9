-- Devices out of a spreadsheet. A preview does everything and takes it back, so it cannot differ from the real run.

-- Every place of an org by its whole path; levels that the tree leaves out are left out.
create function private.location_paths(org_id uuid) returns table (id uuid, path text, key text)
language sql stable security definer
set search_path = ''
as $$
  with recursive tree as (
    select l.id, l.name as path from public.locations l where l.org_id = location_paths.org_id and l.parent_id is null
    union all
    select l.id, tree.path || ' / ' || l.name from tree join public.locations l on l.parent_id = tree.id
  )
  select t.id, t.path, private.path_key(t.path) from tree t
$$;

create function private.import_error(field text, code text, detail text) returns jsonb
language sql immutable
set search_path = ''
as $$
  select jsonb_build_object('column', field, 'code', code, 'detail', detail)
$$;

-- What is wrong with a row by itself, all of it at once. matches = how many places have the path it names.
create function private.import_errors(item jsonb, matches int, first_line int) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(e.error) filter (where e.wrong), '[]') from (values
    (coalesce(item ->> 'serial', '') !~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$',
      private.import_error('serial', 'invalid_request',
        'A serial has 3 to 64 letters, digits, - or _, and starts with a letter or digit.')),
    (first_line is not null,
      private.import_error('serial', 'conflict', format('Line %s has the same serial.', first_line))),
    (length(item ->> 'name') > 200 or item ->> 'name' ~ '^\s+$',
      private.import_error('name', 'invalid_request', 'A name has 1 to 200 characters.')),
    (item ->> 'location' <> '' and matches = 0,
      private.import_error('location', 'not_found',
        format('There is no place "%s". Write it as Site / Building / Floor / Room.', item ->> 'location'))),
    (item ->> 'location' <> '' and matches > 1,
      private.import_error('location', 'conflict', format('There are several places "%s".', item ->> 'location'))),
    (jsonb_typeof(item -> 'tags') = 'array' and (jsonb_array_length(item -> 'tags') > 32 or exists (
        select from jsonb_array_elements_text(case when jsonb_typeof(item -> 'tags') = 'array' then item -> 'tags' else '[]' end) t
        where t !~ '^\S(.{0,62}\S)?$')),
      private.import_error('tags', 'invalid_request', 'At most 32 tags of 1 to 64 characters, separated by semicolons.'))
  ) e (wrong, error)
$$;

-- Does one row; refuses with a contract code. Gives {action, changes}.
create function private.import_device(org_id uuid, item jsonb, location_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  before public.devices;
  after public.devices;
  patch jsonb;
  created bool := false;
  changes jsonb;
begin
  select d.* into before from public.devices d where d.serial = item ->> 'serial' for no key update;
  if before.id is null then
    perform private.require_org(import_device.org_id, 'provision');
    if coalesce(item ->> 'product_type', '') = '' then
      perform private.refuse('EC422', 'unprocessable', 'A new device needs a product type.', '{"column": "product_type"}');
    end if;
    perform private.check_product_type(item ->> 'product_type', import_device.org_id);
    before := private.create_device(item ->> 'serial', item ->> 'product_type', null, import_device.org_id);
    created := before.id is not null;
    if created then
      perform private.write_audit('device_registered', 'device', before.serial, before.org_id, null,
        jsonb_build_object('serial', before.serial, 'product_type', before.product_type));
    end if;
  end if;
  -- GUARD: another org's serial says only that it is taken
  if before.id is null or before.org_id <> import_device.org_id then
    perform private.refuse('EC409', 'serial_taken', 'This serial number is not available.', '{"column": "serial"}');
  elsif before.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.', '{"column": "serial"}');
  elsif nullif(item ->> 'product_type', '') <> before.product_type then
    perform private.refuse('EC409', 'conflict', format('This serial is registered as %s.', before.product_type),
      '{"column": "product_type"}');
  end if;

  select coalesce(jsonb_object_agg(e.key, case when e.key = 'name' and e.value = '""' then 'null' else e.value end), '{}')
  into patch from jsonb_each(item) e where e.key in ('name', 'tags', 'attributes') and e.value <> 'null';
  if patch <> '{}' then
    perform ec.update_device(before.serial, patch);
  end if;
  if item ->> 'location' is not null then
    perform ec.assign_device(before.serial, jsonb_build_object('location_id', import_device.location_id));
  end if;
  select d.* into strict after from public.devices d where d.id = before.id;

  select jsonb_object_agg(x.key, jsonb_build_object('from', case when not created then x.was end, 'to', x.becomes)) into changes
  from (
    select 'product_type', to_jsonb(before.product_type), to_jsonb(after.product_type) where created
    union all
    select 'name', to_jsonb(before.name), to_jsonb(after.name) where before.name is distinct from after.name
    union all
    select 'tags', to_jsonb(before.tags), to_jsonb(after.tags) where before.tags <> after.tags
    union all
    select 'location', to_jsonb(private.location_path(before.location_id, ' / ')), to_jsonb(private.location_path(after.location_id, ' / '))
    where before.location_id is distinct from after.location_id
    union all
    select 'attributes.' || k.key, before.attributes -> k.key, after.attributes -> k.key
    from jsonb_object_keys(before.attributes || after.attributes) k (key)
    where before.attributes -> k.key is distinct from after.attributes -> k.key
  ) x (key, was, becomes);
  return jsonb_build_object('changes', coalesce(changes, '{}'),
    'action', case when created then 'create' when changes is null then 'unchanged' else 'update' end);
end
$$;
