-- Who may join a private Realtime channel. Topics are `org:<uuid>:<epoch>` and `device:<uuid>:<epoch>`; hosted
-- Realtime asks once per connection, so a topic carries the org's epoch, which rises when somebody loses access.

create function private.can_join_topic(topic text) returns bool
language plpgsql stable security definer
set search_path = ''
as $$
declare
  kind text := split_part(topic, ':', 1);
  wanted_id uuid;
  wanted_epoch int;
begin
  if topic !~ '^(org|device):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]{1,9}$' then
    return false;
  end if;
  -- A token made for named topics joins no others.
  if private.claims() ? 'ec_topics' and not private.claims() -> 'ec_topics' ? topic then
    return false;
  end if;
  wanted_id := split_part(topic, ':', 2);
  wanted_epoch := split_part(topic, ':', 3);
  if kind = 'org' then
    return exists (
      select from public.orgs o
      where o.id = wanted_id and o.live_epoch = wanted_epoch
        and o.id = any (array(select private.my_org_ids()))
    );
  end if;
  return exists (
    select from public.devices d join public.orgs o on o.id = d.org_id
    where d.id = wanted_id and o.live_epoch = wanted_epoch
      and (o.id = any (array(select private.my_org_ids())) or d.id = any (array(select private.my_device_ids())))
  );
end
$$;
grant execute on function private.can_join_topic(text) to authenticated;

-- No insert policy: only the database speaks on these channels.
create policy ec_live_select on realtime.messages for select to authenticated
  using (extension = 'broadcast' and (select private.can_join_topic((select realtime.topic()))));
