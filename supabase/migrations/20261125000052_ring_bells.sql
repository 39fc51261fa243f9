-- The bell is on every page, so it has a topic of its own: `bell:<org>:<epoch>` carries notifications and nothing
-- of the fleet.

alter table ec.live_leases drop constraint kind_is_known;
alter table ec.live_leases add constraint kind_is_known check (kind in ('device', 'org', 'bell'));

create or replace function private.can_join_topic(topic text) returns bool
language plpgsql stable security definer
set search_path = ''
as $$
declare
  kind text := split_part(topic, ':', 1);
  wanted_id uuid;
  wanted_epoch int;
begin
  if topic !~ '^(org|device|bell):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]{1,9}$' then
    return false;
  end if;
  -- A token made for named topics joins no others.
  if private.claims() ? 'ec_topics' and not private.claims() -> 'ec_topics' ? topic then
    return false;
  end if;
  wanted_id := split_part(topic, ':', 2);
  wanted_epoch := split_part(topic, ':', 3);
  if kind in ('org', 'bell') then
    return exists (
      select from public.orgs o
      where o.id = wanted_id and o.live_epoch = wanted_epoch and case kind
        when 'org' then o.id = any (array(select private.my_org_ids()))
        else o.id = any (array(select private.my_bell_org_ids())) end
    );
  end if;
  return exists (
    select from public.devices d join public.orgs o on o.id = d.org_id
    where d.id = wanted_id and o.live_epoch = wanted_epoch
      and (o.id = any (array(select private.my_org_ids())) or d.id = any (array(select private.my_device_ids())))
  );
end
$$;

-- asked: `org:<uuid>`, `bell:<org uuid>` or `device:<serial>`. Returns a row for each that the actor may watch; the
-- others are left out, missing and foreign alike. A lease lasts 20 seconds; viewers renew every 10.
create or replace function ec.lease_topics(topics text[]) returns table (asked text, topic text, expires_at timestamptz)
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  ends_at timestamptz := clock_timestamp() + interval '20 seconds';
begin
  return query
  with wanted as (
    select a.asked, k.kind, k.kind || ':' || o.id || ':' || o.live_epoch as topic, o.id as org_id, o.num as org_num,
      null::int as device_num
    from (select distinct w from unnest(topics) w) as a (asked)
    cross join lateral (select split_part(a.asked, ':', 1)) as k (kind)
    join public.orgs o on k.kind in ('org', 'bell') and o.id::text = split_part(a.asked, ':', 2)
    union all
    select a.asked, 'device', 'device:' || d.id || ':' || o.live_epoch, o.id, o.num, d.num
    from (select distinct w from unnest(topics) w) as a (asked)
    join public.devices d on a.asked like 'device:%' and d.serial = substr(a.asked, 8)
    join public.orgs o on o.id = d.org_id
  ), leased as (
    insert into ec.live_leases as l (topic, kind, org_id, org_num, device_num, expires_at)
    select w.topic, w.kind, w.org_id, w.org_num, w.device_num, ends_at
    from wanted w where private.can_join_topic(w.topic)
    order by w.topic
    on conflict (topic) do update set expires_at = greatest(l.expires_at, excluded.expires_at)
    returning l.topic, l.expires_at
  )
  select w.asked, l.topic, l.expires_at from leased l join wanted w on w.topic = l.topic order by w.asked;
end
$$;
