-- Partners: how many orgs their plan allows, and changing what is known of them.

create or replace function ec.create_org(input jsonb) returns jsonb
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
  perform private.require_orgs_in_plan(partner);
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
  '{name, slug?, partner_id?, plan?, product?, timezone?} → the org. EC400, EC403 forbidden | plan_limit, EC404, EC409, EC422';

create function ec.update_partner(partner_id uuid, patch jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  before public.partners;
  after public.partners;
begin
  if update_partner.partner_id is null or update_partner.partner_id not in (select private.my_partner_ids()) then
    perform private.refuse_missing();
  end if;
  perform private.require_keys(patch, array['name', 'slug', 'contact_email', 'plan']);
  if (patch ? 'plan' or patch ? 'slug') and not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators change a partner''s plan or slug.');
  end if;
  select p.* into strict before from public.partners p where p.id = update_partner.partner_id for update;
  update public.partners p set
    name = case when patch ? 'name' then patch ->> 'name' else p.name end,
    slug = case when patch ? 'slug' then patch ->> 'slug' else p.slug end,
    contact_email = case when patch ? 'contact_email' then patch ->> 'contact_email' else p.contact_email end,
    plan = case when patch ? 'plan' then patch ->> 'plan' else p.plan end
  where p.id = before.id
  returning p.* into after;
  perform private.write_audit('partner_updated', 'partner', after.id::text, null, to_jsonb(before), to_jsonb(after), after.id);
  return to_jsonb(after);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This slug is in use; choose another.');
end
$$;
comment on function ec.update_partner(uuid, jsonb) is
  'Keys name, contact_email; plan and slug for administrators → the partner. EC400, EC403, EC404, EC409';

grant execute on function ec.update_partner(uuid, jsonb) to authenticated;
