-- Claiming: the code of the QR makes a device the org's or the person's who scanned it.

create function ec.preview_claim(serial text, code_sha256 bytea) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  hit record;
  state text;
begin
  select d.id, d.serial, d.org_id, d.maker_org_id, d.customer_id, p.key, p.name, c.ended_reason, c.expires_at into hit
  from public.claim_codes c
  join public.devices d on d.id = c.device_id
  join public.product_types p on p.key = d.product_type
  where c.code_sha256 = preview_claim.code_sha256 and d.serial = preview_claim.serial;
  if hit.id is null then
    perform private.refuse_missing();
  end if;
  state := private.claim_state(hit.ended_reason, hit.expires_at);
  if state = 'used' and (hit.customer_id = private.my_user_id() or private.can(hit.org_id, 'read')) then
    state := 'yours';
  end if;
  return jsonb_build_object(
    'state', state, 'serial', hit.serial, 'product_type', jsonb_build_object('key', hit.key, 'name', hit.name),
    -- An old sticker does not say who has the device today.
    'org', private.org_face(case when state in ('claimable', 'expired', 'yours') then hit.org_id else hit.maker_org_id end));
end
$$;
comment on function ec.preview_claim(text, bytea) is
  'What a scanned code stands for, signed in or not → {state, serial, product_type, org}. EC404';

create function private.require_claimable(state text) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  reason jsonb := jsonb_build_object('reason', state);
begin
  case state
    when 'claimable' then return;
    when 'used' then perform private.refuse('EC409', 'already_used', 'Somebody claimed this device with this code.', reason);
    when 'expired' then
      perform private.refuse('EC410', 'expired', 'This code has expired. Ask whoever gave you the device for a new one.', reason);
    when 'reissued' then perform private.refuse('EC410', 'expired', 'A newer code was issued for this device. Use that one.', reason);
    when 'transferred' then
      perform private.refuse('EC410', 'expired', 'This device went to another organisation. Ask them for a new code.', reason);
    when 'unclaimed' then
      perform private.refuse('EC410', 'expired', 'This device was given back. Ask for a new code to claim it again.', reason);
    else perform private.refuse('EC410', 'expired', 'This device was retired.', reason);
  end case;
end
$$;

create function ec.claim_device(serial text, code_sha256 bytea, org_id uuid default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  me uuid := private.my_user_id();
  before public.devices;
  after public.devices;
  code public.claim_codes;
  reply jsonb;
begin
  if me is null then
    perform private.refuse('EC403', 'forbidden', 'A person claims a device: sign in.');
  end if;
  if claim_device.org_id is not null then
    perform private.require_org(claim_device.org_id, 'provision');
  end if;
  perform ec.ensure_profile();
  select d.* into before from public.devices d
  where d.serial = claim_device.serial
    and exists (select from public.claim_codes c where c.device_id = d.id and c.code_sha256 = claim_device.code_sha256)
  for no key update;
  if before.id is null then
    perform private.refuse_missing();
  end if;
  select c.* into strict code from public.claim_codes c where c.code_sha256 = claim_device.code_sha256;
  reply := jsonb_build_object('device_id', before.id, 'serial', before.serial,
    'place', case when claim_device.org_id is null then 'portal' else 'org' end,
    'org_id', coalesce(claim_device.org_id, before.org_id));
  -- A lost reply: the same person asks for what they have.
  if code.ended_reason = 'used' and code.used_by = me and before.customer_id is not distinct from
    (case when claim_device.org_id is null then me end) and before.org_id = coalesce(claim_device.org_id, before.org_id) then
    return reply || '{"repeated": true}';
  end if;
  perform private.require_claimable(private.claim_state(code.ended_reason, code.expires_at));

  if claim_device.org_id is null then
    insert into public.memberships (user_id, role, org_id) values (me, 'customer', before.org_id) on conflict do nothing;
    after := private.hand_over(before, before.org_id, before.location_id, me, now());
  elsif claim_device.org_id = before.org_id then
    after := private.hand_over(before, before.org_id, before.location_id, null, now());
  else
    perform private.require_room_in_plan(claim_device.org_id, 'devices');
    perform private.end_claim_codes(before.id, 'transferred');
    after := private.hand_over(before, claim_device.org_id, null, null, now());
    perform private.write_handover_audit('device_claimed', before.serial, before.org_id, 'another organisation');
  end if;
  update public.claim_codes c set used_at = now(), used_by = me, ended_reason = 'used', revoked_at = null where c.id = code.id;
  perform private.write_audit('device_claimed', 'device', after.serial, after.org_id,
    case when after.org_id = before.org_id then jsonb_build_object('customer_id', before.customer_id, 'claimed_at', before.claimed_at) end,
    jsonb_build_object('customer_id', after.customer_id, 'claimed_at', after.claimed_at));
  return reply || '{"repeated": false}';
end
$$;
comment on function ec.claim_device(text, bytea, uuid) is
  'org_id null = into the person''s portal → {device_id, serial, place, org_id, repeated}. EC403 forbidden | plan_limit, EC404, EC409 already_used, EC410 expired {reason}';

grant execute on function ec.preview_claim(text, bytea), ec.claim_device(text, bytea, uuid) to authenticated;
