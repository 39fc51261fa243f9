-- What devices say about commands, and every other sign of life.

-- The first word about a command counts. One that expired after it was sent may have happened all the same, so its
-- device is still heard.
create function private.close_command(command public.device_commands, ok bool, result jsonb) returns public.device_commands
language plpgsql security definer
set search_path = ''
as $$
declare
  closed public.device_commands := command;
begin
  if command.state in ('queued', 'sent') or command.state = 'expired' and command.sent_at is not null then
    update public.device_commands c set
      state = case when ok then 'acknowledged' else 'failed' end,
      acknowledged_at = clock_timestamp(),
      result = case when octet_length(close_command.result::text) <= 16384 then nullif(close_command.result, 'null') end,
      reason = case when not ok then left(coalesce(
        case when jsonb_typeof(close_command.result) = 'string' then close_command.result #>> '{}' end,
        close_command.result ->> 'reason', close_command.result ->> 'error', 'The device refused it.'), 500) end
    where c.id = command.id
    returning c.* into closed;
    perform private.show_commands(array[command.id]);
  end if;
  return closed;
end
$$;

create function ec.acknowledge_command(serial text, id uuid, ok bool, result jsonb default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  device public.devices := private.require_own_device(serial);
  command public.device_commands;
begin
  select c.* into command from public.device_commands c
  where c.id = acknowledge_command.id and c.device_id = device.id and c.org_id = device.org_id for update;
  if command.id is null then
    perform private.refuse_missing();
  end if;
  command := private.close_command(command, ok, result);
  return jsonb_build_object('id', command.id, 'state', command.state);
end
$$;
comment on function ec.acknowledge_command(text, uuid, bool, jsonb) is
  'The device itself: done, or refused → {id, state}; repeating it changes nothing. EC404';
grant execute on function ec.acknowledge_command(text, uuid, bool, jsonb) to authenticated;

-- Messages that carry no values. Returns the devices something waits for; their states stay locked.
create function ec.note_signs(serials text[], arrivals timestamptz[]) returns int[]
language plpgsql security definer
set search_path = ''
as $$
declare
  waiting int[];
begin
  perform from public.device_state s where s.serial = any (serials) order by s.device_num for no key update;
  with seen as (
    select x.serial, max(x.at) as at from unnest(serials, arrivals) as x (serial, at) group by x.serial
  ), written as (
    update public.device_state s set
      last_seen = greatest(s.last_seen, n.at),
      last_door = 'mqtt',
      connected = s.connected or n.at >= coalesce(s.connected_changed_at, n.at),
      connected_changed_at = case when not s.connected and n.at >= coalesce(s.connected_changed_at, n.at)
        then n.at else s.connected_changed_at end
    from seen n where s.serial = n.serial
    returning s.device_num, s.pending
  )
  select array_agg(w.device_num) filter (where w.pending) into waiting from written w;
  return waiting;
end
$$;

-- items: [{"s": serial, "id": text as the device sent it, "ok": bool, "result": any, "r": arrival in µs since the epoch}]
create function ec.record_command_acks(items json) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  waiting int[];
  item record;
  command public.device_commands;
  changed int := 0;
begin
  select ec.note_signs(array_agg(p.s), array_agg(to_timestamp(p.r::float8 / 1e6))) into waiting
  from json_to_recordset(items) as p (s text, r bigint);
  -- Locked in the order of their ids, as everywhere; of two words about one command the first counts.
  for item in
    select distinct on (p.id) lower(p.id)::uuid as id, p.s, p.ok, p.result
    from rows from (json_to_recordset(items) as (s text, id text, ok bool, result jsonb)) with ordinality as p (s, id, ok, result, o)
    where p.id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' and p.ok is not null
    order by p.id, p.o
  loop
    select c.* into command from public.device_commands c
    join public.devices d on d.id = c.device_id and d.org_id = c.org_id
    where c.id = item.id and c.serial = item.s for update of c;
    continue when command.id is null;
    if (private.close_command(command, item.ok, item.result)).state <> command.state then
      changed := changed + 1;
    end if;
  end loop;
  if waiting is not null then
    perform ec.deliver_commands(waiting);
  end if;
  return changed;
end
$$;
comment on function ec.record_command_acks(json) is
  'Acknowledgements from cmd/ack; unknown, foreign and repeated ones change nothing. Returns how many did';

create function ec.answer_shadow_get(serials text[]) returns int
language plpgsql security definer
set search_path = ''
as $$
declare
  waiting int[];
  device public.devices;
  reported jsonb;
  answered int := 0;
begin
  waiting := ec.note_signs(serials, array_fill(clock_timestamp(), array[cardinality(serials)]));
  for device in
    select d.* from public.devices d where d.serial = any (serials) and d.lifecycle <> 'retired' order by d.num
  loop
    select s.reported into reported from public.device_state s where s.device_num = device.num;
    perform private.send_shadow_document(device, private.shadow_delta(device.desired, reported));
    answered := answered + 1;
  end loop;
  if waiting is not null then
    perform ec.deliver_commands(waiting);
  end if;
  return answered;
end
$$;
comment on function ec.answer_shadow_get(text[]) is 'Sends each of the devices its document on shadow/document; returns how many';

grant execute on function ec.record_command_acks(json), ec.answer_shadow_get(text[]) to ec_bridge;
