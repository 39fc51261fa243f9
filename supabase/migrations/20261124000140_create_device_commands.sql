-- Commands act once: each has an id that both ends know, and an end after which nobody sends it any more.

create table public.device_commands (
  id uuid primary key default gen_random_uuid(),
  device_id uuid not null references public.devices (id) on delete cascade,
  device_num int not null,
  serial text not null,
  org_id uuid not null references public.orgs (id),
  tenure_id int not null,
  type text not null,
  payload jsonb,
  state text not null default 'queued',
  created_by_kind text not null,
  created_by_id uuid,
  created_by_label text,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  sent_at timestamptz,
  sent_door text,
  sends int not null default 0,
  acknowledged_at timestamptz,
  result jsonb,
  reason text,
  outbox_id bigint,
  constraint type_is_valid check (type ~ '^[a-z][a-z0-9_]{0,39}$'),
  constraint state_is_known check (state in ('queued', 'sent', 'acknowledged', 'failed', 'expired')),
  constraint door_is_known check (sent_door in ('mqtt', 'https'))
);
create index device_commands_device_id_idx on public.device_commands (device_id, created_at desc, id desc);
create index device_commands_org_id_idx on public.device_commands (org_id);
create index device_commands_open_idx on public.device_commands (device_num) where state in ('queued', 'sent');
create index device_commands_open_expires_at_idx on public.device_commands (expires_at) where state in ('queued', 'sent');
create index device_commands_closed_idx on public.device_commands (created_at) where state not in ('queued', 'sent');
comment on column public.device_commands.org_id is 'Who held the device when it was sent: only they read it';
comment on column public.device_commands.sent_at is 'The broker acknowledged it, or the HTTPS door handed it out; the last time';
comment on column public.device_commands.outbox_id is 'Its message on the way to the broker';
comment on column public.device_commands.reason is
  'Why it did not happen: the device''s words, or cancelled, handed_over, retired, not_reached, not_answered';

-- Staff only: the labels are people's addresses, and nobody in a room or portal sends commands.
alter table public.device_commands enable row level security;
create policy device_commands_select on public.device_commands for select to authenticated
  using (org_id = any (array(select private.my_org_ids())));
grant select on public.device_commands to authenticated, service_role;

alter table public.device_state add column pending bool not null default false;
comment on column public.device_state.pending is
  'Something waits for the device''s next sign of life; ingest reads the row anyway and looks further only then';

alter table ec.mqtt_outbox add column command_id uuid;

create function private.command_json(command public.device_commands) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', command.id, 'serial', command.serial, 'type', command.type, 'payload', command.payload, 'state', command.state,
    'created_at', ec.iso_time(command.created_at), 'created_by', command.created_by_label,
    'created_by_kind', command.created_by_kind, 'expires_at', ec.iso_time(command.expires_at),
    'sent_at', ec.iso_time(command.sent_at), 'sent_door', command.sent_door,
    'acknowledged_at', ec.iso_time(command.acknowledged_at), 'result', command.result, 'reason', command.reason)
$$;

-- What the device gets.
create function private.command_message(command public.device_commands) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object('id', command.id, 'type', command.type, 'expires_at', ec.iso_time(command.expires_at))
    || case when command.payload is null then '{}' else jsonb_build_object('payload', command.payload) end
$$;

create function private.show_commands(ids uuid[]) returns void
language sql security definer
set search_path = ''
as $$
  select realtime.send(
    private.command_json(c) - '{payload,result,created_by,created_by_kind,sent_door}'::text[], 'command', l.topic, true)
  from public.device_commands c
  join ec.live_leases l on l.kind = 'device' and l.device_num = c.device_num and l.expires_at > clock_timestamp()
  where c.id = any (ids)
$$;
comment on function private.show_commands(uuid[]) is 'Every change of state, at once, to whoever looks at the device';

-- Takes back what no bridge holds yet; says which.
create function private.withdraw_messages(outbox_ids bigint[]) returns setof bigint
language sql security definer
set search_path = ''
as $$
  delete from ec.mqtt_outbox o
  where o.id in (
    select m.id from ec.mqtt_outbox m
    where m.id = any (outbox_ids) and m.sent_at is null
      and (m.claimed_until is null or m.claimed_until <= clock_timestamp())
    for update skip locked
  )
  returning o.id
$$;

-- The device is no longer whose it was: nothing of before reaches it.
create function private.end_commands(device_id uuid, reason text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  ended uuid[];
  messages bigint[];
begin
  update public.device_state s set pending = false where s.device_id = end_commands.device_id and s.pending;
  with closed as (
    update public.device_commands c set state = 'failed', reason = end_commands.reason
    where c.device_id = end_commands.device_id and c.state in ('queued', 'sent')
    returning c.id, c.outbox_id
  )
  select array_agg(id), array_agg(outbox_id) into ended, messages from closed;
  if ended is not null then
    perform private.withdraw_messages(messages);
    perform private.show_commands(ended);
  end if;
end
$$;
