-- What the people who run an org should know without looking for it: one row for all of them, and who has read it.

create table public.notifications (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id) on delete cascade,
  kind text not null,
  severity text not null,
  title text not null,
  body text not null default '',
  link text,
  subject jsonb not null default '{}',
  group_key text,
  times int not null default 1,
  first_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  constraint kind_is_valid check (kind ~ '^[a-z][a-z0-9_]{0,39}$'),
  constraint severity_is_known check (severity in ('info', 'warn', 'bad')),
  constraint title_is_valid check (length(btrim(title)) between 1 and 200),
  constraint body_is_short check (length(body) <= 2000),
  constraint link_stays_here check (link ~ '^/([^/\\].*)?$'),
  constraint subject_is_an_object check (jsonb_typeof(subject) = 'object')
);
create index notifications_org_id_idx on public.notifications (org_id, created_at desc, id desc);
create index notifications_group_idx on public.notifications (org_id, group_key, created_at desc) where group_key is not null;
comment on column public.notifications.link is 'Path in the web app';
comment on column public.notifications.subject is 'What it is about: {device?: serial, job?: uuid, firmware?: uuid, …}';
comment on column public.notifications.times is 'How often the same came within a day, first at first_at, last at created_at';

-- Reader: a person or an API key. Nothing refers to a reader: marks of one who is gone end with their notification.
create table ec.notification_reads (
  notification_id uuid not null references public.notifications (id) on delete cascade,
  reader_id uuid not null,
  read_at timestamptz not null default clock_timestamp(),
  primary key (notification_id, reader_id)
);
alter table ec.notification_reads enable row level security;

-- Who hears an org's bell: those who can do something about it. A key hears what it may read.
create function private.my_bell_org_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  if private.token_is_void() then
    return;
  elsif private.is_admin() then
    return query select o.id from public.orgs o;
    return;
  end if;
  return query
    select m.org_id from private.my_memberships() m where m.role in ('org_admin', 'operator')
    union
    select k.org_id from private.my_api_key() k where 'read' = any (k.scopes);
end
$$;
grant execute on function private.my_bell_org_ids() to authenticated;

alter table public.notifications enable row level security;
create policy notifications_select on public.notifications for select to authenticated
  using (org_id = any (array(select private.my_bell_org_ids())));
grant select on public.notifications to authenticated, service_role;

create function private.notification_json(notification public.notifications, read bool) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', notification.id, 'org_id', notification.org_id, 'kind', notification.kind, 'severity', notification.severity,
    'title', notification.title, 'body', notification.body, 'link', notification.link, 'subject', notification.subject,
    'times', notification.times, 'first_at', ec.iso_time(notification.first_at),
    'created_at', ec.iso_time(notification.created_at), 'read', read)
$$;

-- The same thing within a day is one notification that comes up again, unread.
create function private.notify_org(
  org_id uuid, kind text, severity text, title text, body text default '', link text default null,
  subject jsonb default '{}', group_key text default null
) returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
  at timestamptz := clock_timestamp();
  notification public.notifications;
begin
  if group_key is not null then
    perform pg_advisory_xact_lock(hashtextextended(notify_org.org_id || ' ' || notify_org.group_key, 0));
    update public.notifications n set
      kind = notify_org.kind, severity = notify_org.severity, title = left(notify_org.title, 200),
      body = left(coalesce(notify_org.body, ''), 2000), link = notify_org.link, subject = coalesce(notify_org.subject, '{}'),
      times = n.times + 1, created_at = at
    where n.id = (
      select g.id from public.notifications g
      where g.org_id = notify_org.org_id and g.group_key = notify_org.group_key and g.created_at > at - interval '1 day'
      order by g.created_at desc limit 1)
    returning n.* into notification;
    delete from ec.notification_reads r where r.notification_id = notification.id;
  end if;
  if notification.id is null then
    insert into public.notifications (org_id, kind, severity, title, body, link, subject, group_key)
    values (notify_org.org_id, notify_org.kind, notify_org.severity, left(notify_org.title, 200),
      left(coalesce(notify_org.body, ''), 2000), notify_org.link, coalesce(notify_org.subject, '{}'), notify_org.group_key)
    returning * into notification;
    perform private.forget_notifications(notify_org.org_id, at);
  end if;
  perform realtime.send(private.notification_json(notification, false), 'notification', l.topic, true)
  from ec.live_leases l
  where l.kind = 'bell' and l.org_id = notify_org.org_id and l.expires_at > at;
  return notification.id;
end
$$;
comment on function private.notify_org is
  'Rings the bell of an org, in the transaction of what happened; severity info|warn|bad, link a path in the web app';

-- A bell that was never looked at stays short: the newest thousand of the last ninety days.
create function private.forget_notifications(org_id uuid, at timestamptz) returns void
language sql security definer
set search_path = ''
as $$
  delete from public.notifications n
  where n.id in (
    select o.id from public.notifications o
    where o.org_id = forget_notifications.org_id and o.created_at < greatest(at - interval '90 days', (
      select k.created_at from public.notifications k where k.org_id = forget_notifications.org_id
      order by k.created_at desc offset 999 limit 1))
    for update skip locked)
$$;
