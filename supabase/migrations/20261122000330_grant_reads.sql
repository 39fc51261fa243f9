-- Grants by name. Hashes and salts are granted to nobody; what is granted still passes a policy.

revoke all on all tables in schema public from anon, authenticated, service_role;
revoke all on all sequences in schema public from anon, authenticated, service_role;

grant select on
  public.partners, public.orgs, public.locations, public.profiles, public.memberships,
  public.product_types, public.metric_definitions,
  public.devices, public.device_tenures, public.serial_prefixes,
  public.telemetry, public.rollups_1m, public.rollups_5m, public.rollups_15m, public.rollups_1h, public.rollups_1d,
  public.device_state, public.deviations, public.dead_letters, public.audit_log
to authenticated, service_role;

grant select (
  id, device_id, serial, issued_by_kind, issued_by_id, created_at, first_used_at, last_used_at, expires_at, revoked_at
) on public.device_credentials to authenticated, service_role;
grant select (id, device_id, created_at, expires_at, used_at, revoked_at)
  on public.claim_codes to authenticated, service_role;
grant select (
  id, org_id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at
) on public.api_keys to authenticated, service_role;
grant select (
  id, org_id, product_type, name, mode, serial_prefix, max_count, used_count, prefix, created_by, created_at,
  expires_at, last_used_at, revoked_at
) on public.provisioning_keys to authenticated, service_role;
