-- Who reads which row. One policy per table and command; there are none for insert, update and delete because
-- every write goes through a function of schema ec. Sets come from InitPlans: `any (array(select …))` is asked
-- once per query, however many rows it reads.

-- Tenancy
create policy partners_select on public.partners for select to authenticated
  using (id = any (array(select private.my_partner_ids())));
create policy orgs_select on public.orgs for select to authenticated
  using (
    id = any (array(select private.my_org_ids())) or id = any (array(select private.my_portal_org_ids()))
  );
create policy locations_select on public.locations for select to authenticated
  using (
    org_id = any (array(select private.my_org_ids())) or id = any (array(select private.my_location_ids()))
  );
create policy profiles_select on public.profiles for select to authenticated
  using (id = (select private.my_user_id()) or id = any (array(select private.my_people_ids())));
create policy memberships_select on public.memberships for select to authenticated
  using (
    user_id = (select private.my_user_id())
    or org_id = any (array(select private.my_org_ids()))
    or partner_id = any (array(select private.my_partner_ids()))
    or (select private.is_admin())
  );

-- Products
create policy product_types_select on public.product_types for select to authenticated
  using (key = any (array(select private.my_product_types())));
create policy metric_definitions_select on public.metric_definitions for select to authenticated
  using (product_type = any (array(select private.my_product_types())));

-- Devices
create policy devices_select on public.devices for select to authenticated
  using (org_id = any (array(select private.my_org_ids())) or id = any (array(select private.my_device_ids())));
create policy device_tenures_select on public.device_tenures for select to authenticated
  using (org_id = any (array(select private.my_org_ids())) or id = any (array(select private.my_tenure_ids())));
create policy device_credentials_select on public.device_credentials for select to authenticated
  using (exists (
    select from public.devices d
    where d.id = device_credentials.device_id and d.org_id = any (array(select private.my_org_ids()))
  ));
create policy claim_codes_select on public.claim_codes for select to authenticated
  using (exists (
    select from public.devices d
    where d.id = claim_codes.device_id and d.org_id = any (array(select private.my_org_ids()))
  ));
create policy serial_prefixes_select on public.serial_prefixes for select to authenticated
  using (maker_org_id = any (array(select private.my_org_ids())));

-- Keys: only who may hand out access sees which exist
create policy api_keys_select on public.api_keys for select to authenticated
  using (org_id = any (array(select private.my_managed_org_ids())));
create policy provisioning_keys_select on public.provisioning_keys for select to authenticated
  using (org_id = any (array(select private.my_managed_org_ids())));

-- Readings carry the org and tenure of their moment: a later holder never sees them
create policy telemetry_select on public.telemetry for select to authenticated
  using (
    org_num = any (array(select private.my_org_nums())) or tenure_id = any (array(select private.my_tenure_ids()))
  );
create policy rollups_1m_select on public.rollups_1m for select to authenticated
  using (
    org_num = any (array(select private.my_org_nums())) or tenure_id = any (array(select private.my_tenure_ids()))
  );
create policy rollups_5m_select on public.rollups_5m for select to authenticated
  using (
    org_num = any (array(select private.my_org_nums())) or tenure_id = any (array(select private.my_tenure_ids()))
  );
create policy rollups_15m_select on public.rollups_15m for select to authenticated
  using (
    org_num = any (array(select private.my_org_nums())) or tenure_id = any (array(select private.my_tenure_ids()))
  );
create policy rollups_1h_select on public.rollups_1h for select to authenticated
  using (
    org_num = any (array(select private.my_org_nums())) or tenure_id = any (array(select private.my_tenure_ids()))
  );
create policy rollups_1d_select on public.rollups_1d for select to authenticated
  using (
    org_num = any (array(select private.my_org_nums())) or tenure_id = any (array(select private.my_tenure_ids()))
  );
create policy device_state_select on public.device_state for select to authenticated
  using (
    org_num = any (array(select private.my_org_nums())) or tenure_id = any (array(select private.my_tenure_ids()))
  );
create policy deviations_select on public.deviations for select to authenticated
  using (org_num = any (array(select private.my_org_nums())));

-- Operations; rows of no org (unknown serials, platform changes) are the admin's
create policy dead_letters_select on public.dead_letters for select to authenticated
  using (org_id = any (array(select private.my_org_ids())) or org_id is null and (select private.is_admin()));
create policy audit_log_select on public.audit_log for select to authenticated
  using (
    org_id = any (array(select private.my_org_ids()))
    or partner_id = any (array(select private.my_partner_ids()))
    or (select private.is_admin())
  );
