-- Small parts of the ingest functions (TEL, ANO). Only the next migrations call them.

-- The order of the additions is fixed (oldest first), so every caller gets the same last bit.
create function ec.sum_of(readings float8[]) returns float8
language sql immutable strict parallel safe set search_path = ''
as $$ select coalesce(sum(v order by n), 0) from unnest(readings) with ordinality as r (v, n) $$;
comment on function ec.sum_of is 'Sum of a window of readings, oldest first';

create function ec.iso_time(at timestamptz) returns text
language sql immutable strict parallel safe set search_path = ''
as $$ select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;
comment on function ec.iso_time is 'ISO 8601 UTC with milliseconds, as everything the API sends';

-- What device_state.older becomes when a packet arrives: keys the packet lacks keep the time they had.
create function ec.older_times(reported jsonb, reported_at timestamptz, older jsonb, packet jsonb) returns jsonb
language sql immutable parallel safe set search_path = ''
as $$
  select coalesce(jsonb_object_agg(key, coalesce(older -> key, to_jsonb(ec.iso_time(reported_at)))), '{}')
  from jsonb_object_keys(reported) as key
  where not packet ? key
$$;
