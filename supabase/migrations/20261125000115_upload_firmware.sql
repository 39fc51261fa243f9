-- From the first word about an image to its use: the API reads the object and says what it found, the decision and its
-- consequences are one transaction here. Refused uploads stay as rows that say why.

create function private.max_firmware_bytes() returns int
language sql immutable
set search_path = ''
as $$ select 33554432 $$;

create function ec.begin_firmware(
  org_id uuid, product_type text, version text, filename text, size bigint, notes text default '', raw bool default false
) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  wanted text := nullif(private.plain_version(begin_firmware.version), '');
  new_id uuid := gen_random_uuid();
  firmware public.firmware;
begin
  perform private.require_org(begin_firmware.org_id, 'ota');
  perform private.check_product_type(begin_firmware.product_type, begin_firmware.org_id);
  if size is null or size <= 0 then
    perform private.refuse('EC422', 'unprocessable', 'The file is empty.', '{"reason": "empty_file"}');
  elsif size > private.max_firmware_bytes() then
    perform private.refuse('EC413', 'too_large', 'An image has at most 32 MiB.',
      jsonb_build_object('reason', 'too_large', 'max_bytes', private.max_firmware_bytes()));
  elsif wanted is null and raw then
    perform private.refuse('EC422', 'unprocessable', 'Say which version a raw image is.', '{"reason": "version_missing"}');
  elsif not private.is_version(wanted) then
    perform private.refuse('EC422', 'unprocessable',
      'A version has up to 31 letters, digits, ".", "-", "_" or "+", such as 1.3.0.', '{"reason": "invalid_version"}');
  end if;
  -- Whoever lost the connection in the middle begins again.
  update public.firmware f set state = 'refused', refused_reason = 'replaced'
  where f.org_id = begin_firmware.org_id and f.product_type = begin_firmware.product_type and f.version = wanted
    and f.state = 'uploading';
  insert into public.firmware
    (id, org_id, product_type, version, notes, filename, size, raw, object_path, created_by_kind, created_by_id, created_by_label)
  values (new_id, begin_firmware.org_id, begin_firmware.product_type, wanted, left(coalesce(begin_firmware.notes, ''), 10000),
    left(coalesce(nullif(btrim(begin_firmware.filename), ''), 'firmware.bin'), 255), begin_firmware.size, coalesce(begin_firmware.raw, false),
    format('%s/%s/%s.bin', begin_firmware.org_id, begin_firmware.product_type, new_id),
    coalesce(private.actor_kind(), 'system'), private.actor_id(), private.actor_label())
  returning * into firmware;
  return private.firmware_json(firmware);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict',
    format('Version %s for this product type exists already.', wanted), '{"reason": "duplicate_version"}');
end
$$;
comment on function ec.begin_firmware(uuid, text, text, text, bigint, text, bool) is
  'Action ota → the firmware, state uploading. EC403, EC404, EC409 conflict, EC413, EC422; hint {reason}';

-- GUARD: who manages the org's firmware.
create function private.lock_firmware(firmware_id uuid, uploading bool) returns public.firmware
language plpgsql security definer
set search_path = ''
as $$
declare
  firmware public.firmware;
begin
  select f.* into firmware from public.firmware f where f.id = lock_firmware.firmware_id for no key update;
  perform private.require_org(firmware.org_id, 'ota');
  if uploading and firmware.state <> 'uploading' then
    perform private.refuse('EC409', 'conflict', 'This upload has ended.', jsonb_build_object('state', firmware.state));
  end if;
  return firmware;
end
$$;

create function private.close_upload(firmware public.firmware, reason text) returns public.firmware
language sql security definer
set search_path = ''
as $$
  update public.firmware f set state = 'refused', refused_reason = close_upload.reason
  where f.id = firmware.id
  returning f.*
$$;

create function ec.finish_firmware(firmware_id uuid, facts jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  firmware public.firmware := private.lock_firmware(firmware_id, true);
  type public.product_types;
  in_header text := nullif(private.plain_version(facts ->> 'version'), '');
  counts text := coalesce(firmware.version, in_header);
  reason text;
  detail text;
begin
  select p.* into strict type from public.product_types p where p.key = firmware.product_type;
  if (facts ->> 'size')::bigint is null or facts ->> 'sha256' is null or facts ->> 'signature' is null then
    perform private.refuse('EC400', 'invalid_request', 'Say size, sha256 and signature.');
  end if;

  if (facts ->> 'size')::bigint <= 0 then
    reason := 'empty_file';
    detail := 'The file is empty.';
  elsif (facts ->> 'size')::bigint > private.max_firmware_bytes() then
    reason := 'too_large';
    detail := 'An image has at most 32 MiB.';
  elsif not firmware.raw and private.chip_key(facts ->> 'chip') <> type.chip then
    reason := 'wrong_chip';
    detail := format('This image is for %s, %s has %s.', facts ->> 'chip', type.name, type.chip);
  elsif not firmware.raw and in_header <> counts then
    reason := 'version_mismatch';
    detail := format('You said version %s, the image says %s.', firmware.version, in_header);
  elsif counts is null then
    reason := 'version_missing';
    detail := 'The image names no version; say which it is.';
  elsif not private.is_version(counts) then
    reason := 'invalid_version';
    detail := format('The image''s version "%s" has characters a version cannot have.', left(counts, 40));
  else
    begin
      update public.firmware f set state = 'refused', refused_reason = 'replaced'
      where f.org_id = firmware.org_id and f.product_type = firmware.product_type and f.version = counts
        and f.state = 'uploading' and f.id <> firmware.id;
      update public.firmware f set
        state = 'ready', ready_at = clock_timestamp(), version = counts, size = (facts ->> 'size')::bigint,
        sha256 = facts ->> 'sha256', signature = facts ->> 'signature', chip = private.chip_key(facts ->> 'chip'),
        project = left(facts ->> 'project', 64), idf_version = left(facts ->> 'idf_version', 64)
      where f.id = firmware.id
      returning f.* into firmware;
    exception when unique_violation then
      reason := 'duplicate_version';
      detail := format('Version %s for this product type exists already.', counts);
    end;
  end if;
  if reason is not null then
    return private.firmware_json(private.close_upload(firmware, reason)) || jsonb_build_object('detail', detail);
  end if;

  perform private.write_audit('firmware_uploaded', 'firmware', firmware.id::text, firmware.org_id, null,
    jsonb_build_object('product_type', firmware.product_type, 'version', firmware.version, 'size', firmware.size));
  perform private.notify_org(firmware.org_id, 'firmware_uploaded', 'info',
    format('Firmware %s for %s is ready', firmware.version, type.name), left(firmware.notes, 500), '/org/firmware',
    jsonb_build_object('firmware', firmware.id));
  return private.firmware_json(firmware) || jsonb_build_object('detail', null);
end
$$;
comment on function ec.finish_firmware(uuid, jsonb) is
  'The API alone, for an actor with action ota: facts {size, sha256, signature, chip, project, version, idf_version} → the firmware, ready or refused, and detail. EC400, EC404, EC409';

create function ec.refuse_firmware(firmware_id uuid, reason text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  return private.firmware_json(private.close_upload(private.lock_firmware(firmware_id, true), left(reason, 60)));
end
$$;
comment on function ec.refuse_firmware(uuid, text) is 'The API alone: what was uploaded is no image → the firmware. EC404, EC409';

create function ec.update_firmware_notes(firmware_id uuid, notes text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  before public.firmware := private.lock_firmware(firmware_id, false);
  after public.firmware;
begin
  if length(update_firmware_notes.notes) > 10000 then
    perform private.refuse('EC413', 'too_large', 'Notes have at most 10,000 characters.');
  end if;
  update public.firmware f set notes = coalesce(update_firmware_notes.notes, '') where f.id = before.id returning f.* into after;
  perform private.write_audit('firmware_updated', 'firmware', after.id::text, after.org_id,
    jsonb_build_object('notes', before.notes), jsonb_build_object('notes', after.notes));
  return private.firmware_json(after);
end
$$;
comment on function ec.update_firmware_notes(uuid, text) is 'Action ota → the firmware. EC403, EC404, EC413';

grant execute on function ec.begin_firmware(uuid, text, text, text, bigint, text, bool), ec.update_firmware_notes(uuid, text)
to authenticated;
-- What an object holds is the API's word.
grant execute on function ec.finish_firmware(uuid, jsonb), ec.refuse_firmware(uuid, text) to ec_api;
