-- rows: [{line, serial, product_type?, name?, location?, tags?, attributes?}]; a key left out or null changes
-- nothing, '' clears name and location. Good rows are applied, bad ones reported; a dry run writes nothing.

create function ec.import_devices(org_id uuid, rows json, dry_run bool) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  item record;
  result jsonb;
  errors jsonb;
  results jsonb[];
  failed_detail text;
  failed_hint text;
  total int := case when json_typeof(rows) = 'array' then json_array_length(rows) else 0 end;
begin
  perform private.require_org(import_devices.org_id, 'configure');
  if total not between 1 and 500 then
    perform private.refuse('EC400', 'invalid_request', 'Import 1 to 500 rows in one call.');
  end if;
  results := array_fill(null::jsonb, array[total]);
  begin
    -- In the order of serials, so that two calls over the same ones cannot wait for each other.
    for item in
      with given as (
        select e.i::int as i, e.value::jsonb as value, (e.value ->> 'line')::int as line, e.value ->> 'serial' as serial,
          first_value((e.value ->> 'line')::int) over (partition by e.value ->> 'serial' order by e.i) as first_line,
          private.path_key(e.value ->> 'location') as key
        from json_array_elements(rows) with ordinality e (value, i)
      ), places as materialized (
        select p.key, count(*)::int as matches, (array_agg(p.id))[1] as id
        from private.location_paths(import_devices.org_id) p group by p.key
      )
      select g.i, g.value, g.line, g.serial, case when g.serial is not null then nullif(g.first_line, g.line) end as first_line,
        coalesce(p.matches, 0) as matches, p.id as location_id
      from given g left join places p on p.key = g.key and g.key <> ''
      order by g.serial, g.i
    loop
      errors := private.import_errors(item.value, item.matches, item.first_line);
      result := '{"action": "error"}';
      if errors = '[]' then
        begin
          result := private.import_device(import_devices.org_id, item.value, item.location_id);
        exception
          when sqlstate 'EC400' or sqlstate 'EC401' or sqlstate 'EC403' or sqlstate 'EC404' or sqlstate 'EC409'
            or sqlstate 'EC422' or integrity_constraint_violation or data_exception then
            get stacked diagnostics failed_detail = pg_exception_detail, failed_hint = pg_exception_hint;
            errors := jsonb_build_array(private.import_error(
              case when sqlstate like 'EC4%' then coalesce(nullif(failed_hint, '')::jsonb ->> 'column',
                case when nullif(failed_hint, '')::jsonb ? 'known' then 'product_type' end) end,
              case when sqlstate like 'EC4%' then sqlerrm else 'unprocessable' end,
              case when sqlstate like 'EC4%' then failed_detail else 'A value is out of its range.' end));
        end;
      end if;
      results[item.i] := result || jsonb_build_object('line', item.line, 'serial', item.serial, 'errors', errors);
    end loop;
    if dry_run then
      raise exception using errcode = 'EC001', message = 'preview';
    end if;
  exception when sqlstate 'EC001' then
    -- The preview is taken back; what it found stays in `results`.
    null;
  end;
  return jsonb_build_object('rows', to_jsonb(results), 'applied', not dry_run,
    'counts', (
      select jsonb_object_agg(a.action, (select count(*) from unnest(results) r where r ->> 'action' = a.action))
      from (values ('create'), ('update'), ('unchanged'), ('error')) a (action)
    ));
end
$$;
comment on function ec.import_devices(uuid, json, bool) is
  '1 to 500 rows → {rows: [{line, serial, action, changes, errors: [{column, code, detail}]}], counts, applied}. EC400, EC403, EC404';

grant execute on function ec.import_devices(uuid, json, bool) to authenticated;
