-- People: what they say of themselves, who there is, and whether a session still counts.

create function ec.update_me(patch jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  if private.my_user_id() is null then
    perform private.refuse('EC403', 'forbidden', 'Only people have an account.');
  end if;
  perform private.require_keys(patch, array['full_name', 'preferences']);
  if length(btrim(patch ->> 'full_name')) not between 1 and 200 then
    perform private.refuse('EC400', 'invalid_request', 'full_name has 1 to 200 characters.');
  elsif jsonb_typeof(patch -> 'preferences') <> 'object' or octet_length(patch ->> 'preferences') > 16384 then
    perform private.refuse('EC400', 'invalid_request', 'preferences is an object of at most 16 KB.');
  end if;
  perform ec.ensure_profile();
  update public.profiles p set
    full_name = case when patch ? 'full_name' then btrim(patch ->> 'full_name') else p.full_name end,
    preferences = private.merge_patch(p.preferences, coalesce(patch -> 'preferences', '{}'))
  where p.id = private.my_user_id();
  return ec.me();
end
$$;
comment on function ec.update_me(jsonb) is 'Keys full_name, preferences (merge, null removes) → as ec.me(). EC400, EC401, EC403';

-- Whoever signed in at least once, also when they never asked for anything.
create function ec.list_users(
  q text default null, max int default 100, after_created timestamptz default null, after_id uuid default null
) returns table (id uuid, email text, full_name text, created_at timestamptz, memberships jsonb)
language plpgsql stable security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  pattern text := '%' || regexp_replace(coalesce(q, ''), '([\\%_])', '\\\1', 'g') || '%';
begin
  if not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators see all accounts.');
  end if;
  return query
  select x.id, x.email, x.full_name, x.since,
    coalesce((
      select jsonb_agg(private.membership_json(m.id) order by m.created_at, m.id)
      from public.memberships m where m.user_id = x.id and m.ended_at is null
    ), '[]')
  from (
    select u.id, u.email::text as email, p.full_name,
      -- As exact as the API says it, so that a page goes on where the one before ended
      date_trunc('milliseconds', coalesce(u.created_at, p.created_at, '-infinity')) as since
    from auth.users u left join public.profiles p on p.id = u.id
  ) x
  where (q is null or x.email ilike pattern or x.full_name ilike pattern)
    and (after_id is null or (x.since, x.id) < (after_created, after_id))
  order by x.since desc, x.id desc
  limit list_users.max;
end
$$;
comment on function ec.list_users(text, int, timestamptz, uuid) is
  'For administrators, newest first, the next page after (created_at, id) of the last row. EC403';

-- A session that has shown one factor only is none for somebody who set up a second. Auth servers without second
-- factors have no table of them.
create or replace function ec.session_is_live(session_id uuid) returns bool
language plpgsql stable security definer
set search_path = ''
as $$
declare
  held record;
begin
  select s.user_id, to_jsonb(s) ->> 'aal' as level into held from auth.sessions s where s.id = session_is_live.session_id;
  if held.user_id is null then
    return false;
  end if;
  if held.level is not distinct from 'aal2' or to_regclass('auth.mfa_factors') is null then
    return true;
  end if;
  return not exists (select from auth.mfa_factors f where f.user_id = held.user_id and f.status::text = 'verified');
end
$$;
comment on function ec.session_is_live(uuid) is
  'False once the person signed out or was signed out, and before they showed the second factor they have';

grant execute on function
  ec.update_me(jsonb), ec.list_users(text, int, timestamptz, uuid)
to authenticated;
