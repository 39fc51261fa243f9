-- Places by the names of what they lie in, outermost first.

create function private.location_path(location_id uuid, separator text) returns text
language sql stable security definer
set search_path = ''
as $$
  with recursive up as (
    select l.parent_id, l.name, 1 as depth from public.locations l where l.id = location_path.location_id
    union all
    select l.parent_id, l.name, up.depth + 1 from up join public.locations l on l.id = up.parent_id
  )
  select string_agg(up.name, separator order by up.depth desc) from up
$$;

create function private.path_key(path text) returns text
language sql immutable
set search_path = ''
as $$
  select lower(btrim(regexp_replace(path, '\s*/\s*', '/', 'g')))
$$;
comment on function private.path_key(text) is 'Two ways to write one path have the same key';
