-- Through the API every request asks whether its session is live. The Data API and Realtime take any token until it
-- expires, an hour later: there a session that has ended, or that owes its second factor, is nobody's. And a token made
-- for named live topics is good for listening, not for reading tables.

create function private.token_is_void() returns bool
language plpgsql stable security definer
set search_path = ''
as $$
declare
  claims jsonb;
begin
  -- The API has asked before anything else.
  if session_user = 'ec_api' then
    return false;
  end if;
  claims := private.claims();
  return claims ? 'ec_topics' and coalesce(current_setting('realtime.topic', true), '') = ''
    or claims ? 'session_id' and not ec.session_is_live((claims ->> 'session_id')::uuid);
end
$$;
comment on function private.token_is_void() is
  'Whether the token at hand is good for nothing here: its session is gone, or it was made for live topics only';

create or replace function private.my_user_id() returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return case when private.actor_kind() = 'user' and not private.token_is_void() then private.actor_id() end;
end
$$;

create or replace function private.my_reach(out everything bool, out org_ids uuid[], out partner_ids uuid[])
language plpgsql stable security definer
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.actor_id();
begin
  if private.token_is_void() then
    me := null;
  end if;
  case private.actor_kind()
    when 'user' then
      select
        coalesce(bool_or(m.role = 'admin'), false),
        coalesce(array_agg(m.org_id) filter (where m.role in ('org_admin', 'operator', 'viewer')), '{}'),
        coalesce(array_agg(m.partner_id) filter (where m.role = 'partner'), '{}')
      into everything, org_ids, partner_ids
      from public.memberships m where m.user_id = me and m.ended_at is null;
    when 'api_key' then
      select false, coalesce(array_agg(k.org_id), '{}'), '{}'::uuid[] into everything, org_ids, partner_ids
      from public.api_keys k
      where k.id = me and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and 'read' = any (k.scopes);
    else
      everything := false;
      org_ids := '{}';
      partner_ids := '{}';
  end case;
end
$$;

grant execute on function private.token_is_void() to authenticated;
