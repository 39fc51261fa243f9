-- Partners and orgs.

-- One at a time, so that two orgs of one name made at the same moment get two slugs.
create function private.free_slug(name text, fallback text) returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  base text := btrim(left(btrim(regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'), '-'), 48), '-');
  candidate text := coalesce(nullif(base, ''), fallback);
begin
  perform pg_advisory_xact_lock(hashtext('private.free_slug'));
  while exists (select from public.orgs o where o.slug = candidate)
    or exists (select from public.partners p where p.slug = candidate) loop
    candidate := coalesce(nullif(base, ''), fallback) || '-' || left(md5(gen_random_uuid()::text), 6);
  end loop;
  return candidate;
end
$$;

-- GUARD: an org's default product must be one it may register.
create function private.check_org_input(input jsonb, org_id uuid) returns void
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if input ? 'timezone' then
    perform private.require_timezone(input ->> 'timezone');
  end if;
  if input ->> 'product' is not null then
    perform private.check_product_type(input ->> 'product', org_id);
  end if;
end
$$;

create function ec.create_partner(input jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  partner public.partners;
begin
  if not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators create partners.');
  end if;
  perform private.require_keys(input, array['name', 'slug', 'contact_email', 'plan']);
  insert into public.partners (name, slug, contact_email, plan)
  values (input ->> 'name', coalesce(input ->> 'slug', private.free_slug(input ->> 'name', 'partner')),
    input ->> 'contact_email', coalesce(input ->> 'plan', 'starter'))
  returning * into partner;
  perform private.write_audit('partner_created', 'partner', partner.id::text, null, null, to_jsonb(partner), partner.id);
  return to_jsonb(partner);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This slug is in use; choose another.');
end
$$;
comment on function ec.create_partner(jsonb) is '{name, slug?, contact_email?, plan?} → the partner. EC400, EC403, EC409';

create function ec.create_org(input jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  org public.orgs;
  partner uuid := (input ->> 'partner_id')::uuid;
begin
  perform private.require_keys(input, array['name', 'slug', 'partner_id', 'plan', 'product', 'timezone']);
  -- GUARD: administrators, and partners for themselves
  if not private.is_admin() then
    partner := coalesce(partner, (select min(p::text)::uuid from private.my_partner_ids() p having count(*) = 1));
    if not exists (select from private.my_partner_ids() p) then
      perform private.refuse('EC403', 'forbidden', 'Only partners and the platform''s administrators create organisations.');
    elsif partner is null then
      perform private.refuse('EC400', 'invalid_request', 'Say for which partner with partner_id.');
    end if;
  end if;
  if partner is not null and partner not in (select private.my_partner_ids()) then
    perform private.refuse_missing();
  end if;
  perform private.check_org_input(input, null);
  insert into public.orgs (partner_id, name, slug, plan, product, timezone)
  values (
    partner, input ->> 'name', coalesce(input ->> 'slug', private.free_slug(input ->> 'name', 'org')),
    coalesce(input ->> 'plan', 'starter'), input ->> 'product', coalesce(input ->> 'timezone', 'UTC'))
  returning * into org;
  perform private.write_audit('org_created', 'org', org.id::text, org.id, null, to_jsonb(org), partner);
  return to_jsonb(org);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This slug is in use; choose another.');
end
$$;
comment on function ec.create_org(jsonb) is
  '{name, slug?, partner_id?, plan?, product?, timezone?} → the org. EC400, EC403, EC404, EC409, EC422';

create function ec.update_org(org_id uuid, patch jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  before public.orgs;
  after public.orgs;
begin
  perform private.require_org(update_org.org_id, 'configure');
  perform private.require_keys(patch, array['name', 'slug', 'plan', 'product', 'timezone', 'brand', 'partner_id']);
  select o.* into strict before from public.orgs o where o.id = update_org.org_id for update;
  -- GUARD: nobody raises their own plan or changes hands by themselves
  if patch ? 'partner_id' and not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators move an organisation to another partner.');
  end if;
  if patch ? 'plan' and not coalesce(before.partner_id in (select private.my_partner_ids()), false) and not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Your partner or the platform''s administrators change the plan.');
  end if;
  perform private.check_org_input(patch, before.id);
  update public.orgs o set
    name = case when patch ? 'name' then patch ->> 'name' else o.name end,
    slug = case when patch ? 'slug' then patch ->> 'slug' else o.slug end,
    plan = case when patch ? 'plan' then patch ->> 'plan' else o.plan end,
    product = case when patch ? 'product' then patch ->> 'product' else o.product end,
    timezone = case when patch ? 'timezone' then patch ->> 'timezone' else o.timezone end,
    brand = case when patch ? 'brand' then patch -> 'brand' else o.brand end,
    partner_id = case when patch ? 'partner_id' then (patch ->> 'partner_id')::uuid else o.partner_id end,
    -- The partner before loses its view.
    live_epoch = o.live_epoch + case when patch ? 'partner_id' then 1 else 0 end
  where o.id = before.id
  returning o.* into after;
  perform private.write_audit('org_updated', 'org', after.id::text, after.id, to_jsonb(before), to_jsonb(after));
  return to_jsonb(after);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This slug is in use; choose another.');
end
$$;
comment on function ec.update_org(uuid, jsonb) is
  'Keys name, slug, plan, product, timezone, brand, partner_id → the org. EC400, EC403, EC404, EC409, EC422';

grant execute on function ec.create_partner(jsonb), ec.create_org(jsonb), ec.update_org(uuid, jsonb) to authenticated;
