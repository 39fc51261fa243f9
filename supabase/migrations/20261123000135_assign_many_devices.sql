-- The same change to many devices of an org.

create function ec.assign_org_devices(org_id uuid, serials text[], target jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  item record;
  result jsonb;
  results jsonb[] := array_fill(null::jsonb, array[greatest(cardinality(serials), 1)]);
  failed_detail text;
  failed_hint text;
begin
  perform private.require_org(assign_org_devices.org_id, 'configure');
  if coalesce(cardinality(serials), 0) not between 1 and 500 then
    perform private.refuse('EC400', 'invalid_request', 'Assign 1 to 500 devices in one call.');
  end if;
  -- In the order of serials, so that two calls over the same ones cannot wait for each other.
  for item in select s.serial, s.i::int as i from unnest(serials) with ordinality s (serial, i) order by s.serial, s.i loop
    begin
      if not exists (
        select from public.devices d where d.serial = item.serial and d.org_id = assign_org_devices.org_id
      ) then
        perform private.refuse_missing();
      end if;
      result := jsonb_build_object('ok', true, 'device', ec.assign_device(item.serial, target));
    exception
      when sqlstate 'EC400' or sqlstate 'EC403' or sqlstate 'EC404' or sqlstate 'EC409' or invalid_text_representation then
        get stacked diagnostics failed_detail = pg_exception_detail, failed_hint = pg_exception_hint;
        result := jsonb_build_object('ok', false,
          'error', private.item_error(sqlstate, sqlerrm, failed_detail, failed_hint));
    end;
    results[item.i] := result || jsonb_build_object('i', item.i - 1, 'serial', item.serial);
  end loop;
  return to_jsonb(results);
end
$$;
comment on function ec.assign_org_devices(uuid, text[], jsonb) is
  'Up to 500 devices of the org to {org_id?, location_id?} → [{i, serial, ok, device | error}] in the order given. EC400, EC403, EC404';

grant execute on function ec.assign_org_devices(uuid, text[], jsonb) to authenticated;
