-- Messages to devices: written in the transaction that caused them, claimed by bridges with a lease of 30
-- seconds. NOTIFY ec_mqtt_outbox wakes the bridges; a slow poll is their safety net.

create function private.enqueue_mqtt(
  serial text, kind text, payload text, retain bool default false, expires_at timestamptz default null
) returns bigint
language plpgsql security definer
set search_path = ''
as $$
declare
  outbox_id bigint;
begin
  insert into ec.mqtt_outbox (serial, topic, payload, retain, expires_at)
  values (serial, format('devices/%s/%s', serial, kind), payload, retain, expires_at)
  returning id into outbox_id;
  perform pg_notify('ec_mqtt_outbox', '');
  return outbox_id;
end
$$;
comment on function private.enqueue_mqtt(text, text, text, bool, timestamptz) is
  'kind = the rest of the topic after devices/<serial>/';

-- What the broker keeps for a device: the desired document, on both topics clients read.
create function private.clear_retained(serial text) returns void
language sql security definer
set search_path = ''
as $$
  select private.enqueue_mqtt(serial, kind, '', true) from unnest(array['shadow/desired', 'config']) kind
$$;

create function ec.claim_mqtt_outbox(worker text, max int default 500)
returns table (id bigint, serial text, topic text, payload text, qos int, retain bool)
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
      and (o.expires_at is null or o.expires_at > now())
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
    returning o.id, o.serial, o.topic, o.payload, o.qos, o.retain
  )
  select c.* from claimed c order by c.id;
end
$$;
comment on function ec.claim_mqtt_outbox(text, int) is 'Unsent messages, oldest first, leased to the worker for 30 s';

create function ec.finish_mqtt_outbox(ids bigint[]) returns void
language sql security definer
set search_path = ''
as $$
  update ec.mqtt_outbox set sent_at = clock_timestamp(), claimed_until = null
  where id = any (ids) and sent_at is null
$$;
comment on function ec.finish_mqtt_outbox(bigint[]) is 'The broker acknowledged these';

create function ec.release_mqtt_outbox(ids bigint[]) returns void
language sql security definer
set search_path = ''
as $$
  update ec.mqtt_outbox set claimed_by = null, claimed_until = null where id = any (ids) and sent_at is null
$$;
comment on function ec.release_mqtt_outbox(bigint[]) is 'Not sent after all: anybody may claim these again at once';

grant execute on function
  ec.claim_mqtt_outbox(text, int), ec.finish_mqtt_outbox(bigint[]), ec.release_mqtt_outbox(bigint[])
to ec_bridge;
