-- The outbox says until when a message is wanted, so that a broker that speaks MQTT 5 keeps it no longer; and a
-- command counts as sent when the broker has acknowledged it.

drop function ec.claim_mqtt_outbox(text, int);
create function ec.claim_mqtt_outbox(worker text, max int default 500)
returns table (id bigint, serial text, topic text, payload text, qos int, retain bool, expires_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
begin
  -- One claim at a time, so that the rows another worker holds are visible below: a topic's messages must
  -- reach the broker in order, the last retained one stays.
  perform pg_advisory_xact_lock(hashtext('ec.claim_mqtt_outbox'));
  return query
  with due as (
    select o.id from ec.mqtt_outbox o
    where o.sent_at is null
      and (o.expires_at is null or o.expires_at > clock_timestamp())
      and (o.claimed_until is null or o.claimed_until <= clock_timestamp())
      and not exists (
        select from ec.mqtt_outbox earlier
        where earlier.topic = o.topic and earlier.id < o.id and earlier.sent_at is null
          and earlier.claimed_until > clock_timestamp() and earlier.claimed_by <> claim_mqtt_outbox.worker
      )
    order by o.id
    limit claim_mqtt_outbox.max
    for update skip locked
  ), claimed as (
    update ec.mqtt_outbox o
    set claimed_by = claim_mqtt_outbox.worker, claimed_until = clock_timestamp() + interval '30 seconds',
      attempts = o.attempts + 1
    from due where o.id = due.id
    returning o.id, o.serial, o.topic, o.payload, o.qos, o.retain, o.expires_at
  )
  select c.* from claimed c order by c.id;
end
$$;
comment on function ec.claim_mqtt_outbox(text, int) is
  'Unsent messages that have not expired, oldest first, leased to the worker for 30 s';
grant execute on function ec.claim_mqtt_outbox(text, int) to ec_bridge;

create or replace function ec.finish_mqtt_outbox(ids bigint[]) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  commands uuid[];
begin
  with done as (
    update ec.mqtt_outbox o set sent_at = clock_timestamp(), claimed_until = null
    where o.id = any (ids) and o.sent_at is null
    returning o.command_id
  )
  select array_agg(d.command_id) filter (where d.command_id is not null) into commands from done d;
  if commands is null then
    return;
  end if;
  perform from public.device_commands c where c.id = any (commands) order by c.id for update;
  -- The device may have answered before the broker did.
  update public.device_commands c set
    state = case when c.state = 'queued' then 'sent' else c.state end,
    sent_at = clock_timestamp(), sent_door = 'mqtt', sends = c.sends + 1, outbox_id = null
  where c.id = any (commands);
  perform private.show_commands(commands);
end
$$;
