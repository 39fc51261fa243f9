-- What an org's bell rang for, as one reader sees it. What came before somebody was let in is nothing new to them.

create function private.hears_since(org_id uuid) returns timestamptz
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if private.actor_kind() = 'api_key' then
    return (select k.created_at from private.my_api_key() k where k.org_id = hears_since.org_id and 'read' = any (k.scopes));
  end if;
  return (select min(m.created_at) from private.my_memberships() m
    where m.role = 'admin' or m.role in ('org_admin', 'operator') and m.org_id = hears_since.org_id);
end
$$;
comment on function private.hears_since(uuid) is 'Since when the actor hears the bell of an org; null = not at all';

-- GUARD: whoever may not read the org gets the same answer as for one that is missing.
create function private.require_bell(org_id uuid) returns timestamptz
language plpgsql stable security definer
set search_path = ''
as $$
declare
  since timestamptz;
begin
  perform private.require_org(require_bell.org_id, 'read');
  since := private.hears_since(require_bell.org_id);
  if since is null then
    perform private.refuse('EC403', 'forbidden', 'Notifications are for the people who run this organisation.');
  end if;
  return since;
end
$$;

create function ec.list_notifications(
  org_id uuid, unread bool default false, max int default 50, before_at timestamptz default null, before_id uuid default null
) returns table (notification jsonb, cursor_at text)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  me uuid := private.actor_id();
  since timestamptz := private.require_bell(list_notifications.org_id);
begin
  return query
  select private.notification_json(n, m.read), n.created_at::text
  from public.notifications n
  cross join lateral (
    select n.created_at < since or exists (
      select from ec.notification_reads r where r.notification_id = n.id and r.reader_id = me) as read
  ) m
  where n.org_id = list_notifications.org_id and (before_at is null or (n.created_at, n.id) < (before_at, before_id))
    and not (list_notifications.unread and m.read)
  order by n.created_at desc, n.id desc
  limit least(list_notifications.max, 1001);
end
$$;
comment on function ec.list_notifications is 'Newest first, from after the cursor on. EC403, EC404';

create function ec.count_unread(org_id uuid) returns int
language plpgsql stable security definer
set search_path = ''
as $$
declare
  me uuid := private.actor_id();
  since timestamptz := private.require_bell(count_unread.org_id);
begin
  return (
    select count(*) from public.notifications n
    where n.org_id = count_unread.org_id and n.created_at >= since
      and not exists (select from ec.notification_reads r where r.notification_id = n.id and r.reader_id = me));
end
$$;
comment on function ec.count_unread(uuid) is 'What the actor has not read of an org''s notifications. EC403, EC404';

create function ec.read_notification(id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  notification public.notifications;
begin
  select n.* into notification from public.notifications n
  where n.id = read_notification.id and n.org_id = any (array(select private.my_bell_org_ids())) for key share;
  if notification.id is null then
    perform private.refuse_missing();
  end if;
  insert into ec.notification_reads (notification_id, reader_id) values (notification.id, private.actor_id())
  on conflict do nothing;
  return private.notification_json(notification, true);
end
$$;
comment on function ec.read_notification(uuid) is 'Marks it as read for the actor alone, again and again if need be. EC404';

create function ec.read_notifications(org_id uuid) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  me uuid := private.actor_id();
  since timestamptz := private.require_bell(read_notifications.org_id);
  marked int;
begin
  insert into ec.notification_reads (notification_id, reader_id)
  select n.id, me from public.notifications n
  where n.org_id = read_notifications.org_id and n.created_at >= since
  for key share
  on conflict do nothing;
  get diagnostics marked = row_count;
  return marked;
end
$$;
comment on function ec.read_notifications(uuid) is 'Marks all of an org as read for the actor; returns how many were not. EC403, EC404';

grant execute on function ec.list_notifications, ec.count_unread, ec.read_notification, ec.read_notifications to authenticated;
