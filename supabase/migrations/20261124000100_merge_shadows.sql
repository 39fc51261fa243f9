-- Shadow documents (SHD): merging, comparing and dating them, and what may stand in one. plpgsql, because plans of
-- recursive calls stay cached in the connection.

create function private.merge_shadow(document jsonb, patch jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  merged jsonb := document;
  entry record;
begin
  for entry in select e.key, e.value, jsonb_typeof(e.value) as kind from jsonb_each(patch) e loop
    if entry.kind = 'null' then
      merged := merged - entry.key;
    elsif entry.kind = 'object' then
      merged := merged || jsonb_build_object(entry.key, private.merge_shadow(
        case when jsonb_typeof(merged -> entry.key) = 'object' then merged -> entry.key else '{}' end, entry.value));
    else
      merged := merged || jsonb_build_object(entry.key, entry.value);
    end if;
  end loop;
  return merged;
end
$$;
comment on function private.merge_shadow(jsonb, jsonb) is
  'Objects key by key at any depth, null removes a key, everything else replaces; arrays are opaque';

create function private.merge_shadows(document jsonb, patches jsonb[]) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  merged jsonb := document;
  patch jsonb;
begin
  foreach patch in array patches loop
    merged := private.merge_shadow(merged, patch);
  end loop;
  return merged;
end
$$;

create function private.shadow_delta(desired jsonb, reported jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  delta jsonb := '{}';
  deeper jsonb;
  entry record;
begin
  for entry in select e.key, e.value as want, reported -> e.key as have from jsonb_each(desired) e loop
    continue when entry.want = entry.have;
    if jsonb_typeof(entry.want) = 'object' and jsonb_typeof(entry.have) = 'object' then
      deeper := private.shadow_delta(entry.want, entry.have);
      continue when deeper = '{}';
      delta := delta || jsonb_build_object(entry.key, deeper);
    else
      delta := delta || jsonb_build_object(entry.key, entry.want);
    end if;
  end loop;
  return delta;
end
$$;
comment on function private.shadow_delta(jsonb, jsonb) is
  'Keys of desired that differ in reported: objects key by key, arrays and scalars whole, numbers by value';

-- times has the form of the document; each leaf is the time of its last change.
create function private.stamp_shadow(times jsonb, before jsonb, after jsonb, at jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  stamped jsonb := '{}';
  entry record;
begin
  for entry in select e.key, e.value, before -> e.key as old, times -> e.key as stamp from jsonb_each(after) e loop
    stamped := stamped || jsonb_build_object(entry.key, case
      when entry.value = entry.old and entry.stamp is not null then entry.stamp
      when jsonb_typeof(entry.value) = 'object' and entry.value <> '{}' then private.stamp_shadow(
        case when jsonb_typeof(entry.stamp) = 'object' then entry.stamp else '{}' end,
        case when jsonb_typeof(entry.old) = 'object' then entry.old else '{}' end, entry.value, at)
      else at
    end);
  end loop;
  return stamped;
end
$$;

-- A device pays for every byte; jsonb's text has a blank after each comma and colon. Strings are matched as a whole,
-- so that blanks inside them stay.
create function private.compact_json(document jsonb) returns text
language sql immutable
set search_path = ''
as $$ select regexp_replace(document::text, '("(?:[^"\\]|\\.)*")|([,:]) ', '\1\2', 'g') $$;

-- The rules of packets, with the path to what breaks them. Depth: an object without children has 1.
create function private.require_shadow(part jsonb, path text[] default '{}') returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  kind text := jsonb_typeof(part);
  entry record;
  problem text;
begin
  if path = '{}' and kind is distinct from 'object' then
    problem := 'Send a JSON object.';
  elsif kind in ('object', 'array') and cardinality(path) >= 8 then
    problem := 'It is nested more than 8 deep.';
  elsif kind = 'number' and abs(part::numeric) > 1e100 then
    problem := 'It is not a usable number.';
  end if;
  if problem is null and kind = 'object' then
    for entry in select e.key, e.value from jsonb_each(part) e loop
      if entry.key !~ '^[A-Za-z][A-Za-z0-9_]{0,63}$' or entry.key in ('constructor', 'prototype') then
        perform private.refuse('EC400', 'invalid_request',
          format('"%s" is no key: use a letter, then up to 63 letters, digits or "_".', left(entry.key, 80)),
          jsonb_build_object('path', path || entry.key));
      end if;
      perform private.require_shadow(entry.value, path || entry.key);
    end loop;
  elsif problem is null and kind = 'array' then
    for entry in select e.value, e.n from jsonb_array_elements(part) with ordinality e (value, n) loop
      if entry.value = 'null' then
        path := path || (entry.n - 1)::text;
        problem := 'An array holds no null.';
        exit;
      end if;
      perform private.require_shadow(entry.value, path || (entry.n - 1)::text);
    end loop;
  end if;
  if problem is not null then
    perform private.refuse('EC400', 'invalid_request',
      case when path = '{}' then problem else format('%s: %s', array_to_string(path, '.'), problem) end,
      jsonb_build_object('path', path));
  end if;
end
$$;
comment on function private.require_shadow(jsonb, text[]) is 'EC400 with hint {path} unless it may be merged into a shadow';

-- Whoever writes desired, its times follow.
alter table public.devices
  add column desired_times jsonb not null default '{}',
  add column desired_at timestamptz;
comment on column public.devices.desired_times is 'The form of desired; each leaf is the time of its last change';
comment on column public.devices.desired_at is 'Last change of desired';

create function private.stamp_desired() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.desired_at := clock_timestamp();
  new.desired_times := private.stamp_shadow(old.desired_times, old.desired, new.desired, to_jsonb(ec.iso_time(new.desired_at)));
  return new;
end
$$;
create trigger devices_stamp_desired before update of desired on public.devices
  for each row when (old.desired is distinct from new.desired) execute function private.stamp_desired();

update public.devices d set
  desired_at = now(),
  desired_times = private.stamp_shadow('{}', '{}', d.desired, to_jsonb(ec.iso_time(now())))
where d.desired <> '{}';
