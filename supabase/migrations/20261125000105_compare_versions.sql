-- Versions of firmware: which of two is newer, and what is no version at all.

create function private.plain_version(version text) returns text
language sql immutable
set search_path = ''
as $$ select regexp_replace(btrim(version), '^[vV](?=[0-9])', '') $$;
comment on function private.plain_version(text) is 'v1.2.0 and 1.2.0 are one version';

create function private.is_version(version text) returns bool
language sql immutable
set search_path = ''
as $$ select version ~ '^[0-9A-Za-z][0-9A-Za-z.+_-]{0,30}$' $$;
comment on function private.is_version(text) is 'What fits into an ESP32 image header: 31 characters';

-- Parts between dots: numbers by value, a number before a word, words by their letters.
create function private.compare_parts(a text[], b text[], missing text) returns int
language plpgsql immutable
set search_path = ''
as $$
declare
  x text;
  y text;
  x_is_number bool;
  y_is_number bool;
begin
  for n in 1 .. greatest(cardinality(a), cardinality(b)) loop
    x := coalesce(a[n], missing);
    y := coalesce(b[n], missing);
    continue when x = y;
    x_is_number := x ~ '^[0-9]+$';
    y_is_number := y ~ '^[0-9]+$';
    if x_is_number and y_is_number then
      continue when x::numeric = y::numeric;
      return sign(x::numeric - y::numeric);
    elsif x = '' or y = '' then
      return case when x = '' then -1 else 1 end;
    elsif x_is_number <> y_is_number then
      return case when x_is_number then -1 else 1 end;
    end if;
    return case when x collate "C" < y collate "C" then -1 else 1 end;
  end loop;
  return 0;
end
$$;

create function private.compare_versions(a text, b text) returns int
language plpgsql immutable
set search_path = ''
as $$
declare
  -- What follows a plus says how it was built and makes nothing newer.
  x text := split_part(private.plain_version(a), '+', 1);
  y text := split_part(private.plain_version(b), '+', 1);
  core int;
  x_pre text := substring(x from '-(.*)$');
  y_pre text := substring(y from '-(.*)$');
begin
  if a is null or b is null then
    return (a is not null)::int - (b is not null)::int;
  end if;
  core := private.compare_parts(string_to_array(split_part(x, '-', 1), '.'), string_to_array(split_part(y, '-', 1), '.'), '0');
  if core <> 0 or x_pre is null or y_pre is null then
    return case when core <> 0 then core else (x_pre is null)::int - (y_pre is null)::int end;
  end if;
  return private.compare_parts(string_to_array(x_pre, '.'), string_to_array(y_pre, '.'), '');
end
$$;
comment on function private.compare_versions(text, text) is
  '-1, 0, 1 as semantic versions are ordered: 1.10 after 1.9, 2.0-rc.1 before 2.0; null is older than all';

create function private.chip_key(chip text) returns text
language sql immutable
set search_path = ''
as $$ select nullif(regexp_replace(lower(chip), '[^a-z0-9]', '', 'g'), '') $$;
comment on function private.chip_key(text) is 'ESP32-S3 and esp32s3 are one chip';
