-- The audit log also says where a change was asked from. The API sets `ec.client_address` for the transaction.

alter table public.audit_log add column address inet;
comment on column public.audit_log.address is 'Where the request came from, as far as the configured proxies tell';

create function private.client_address() returns inet
language plpgsql stable
set search_path = ''
as $$
begin
  return nullif(current_setting('ec.client_address', true), '')::inet;
exception when data_exception then
  return null;
end
$$;

create or replace function private.write_audit(
  action text, target_kind text, target_id text, org_id uuid,
  before jsonb default null, after jsonb default null, partner_id uuid default null
) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  old_part jsonb := before;
  new_part jsonb := after;
begin
  if before is not null and after is not null then
    select jsonb_object_agg(b.key, b.value) into old_part
    from jsonb_each(before) b where b.value is distinct from after -> b.key;
    select jsonb_object_agg(a.key, a.value) into new_part
    from jsonb_each(after) a where a.value is distinct from before -> a.key;
    if old_part is null and new_part is null then
      return;
    end if;
  end if;
  insert into public.audit_log (
    org_id, partner_id, actor_kind, actor_id, actor_label, action, target_kind, target_id, before, after, request_id,
    address)
  values (
    write_audit.org_id, write_audit.partner_id, coalesce(private.actor_kind(), 'system'), private.actor_id(),
    private.actor_label(), action, target_kind, target_id, old_part, new_part,
    nullif(current_setting('ec.request_id', true), ''), private.client_address()
  );
end
$$;

-- What happens to an org's device because of somebody of another org: that it happened, not who they are.
create function private.write_handover_audit(action text, serial text, org_id uuid, actor text) returns void
language sql security definer
set search_path = ''
as $$
  insert into public.audit_log (org_id, actor_kind, actor_label, action, target_kind, target_id, request_id)
  values (org_id, 'system', actor, action, 'device', serial, nullif(current_setting('ec.request_id', true), ''))
$$;
