-- What our migrations use of Realtime: messages, topic(), send(), broadcast_changes().
create schema if not exists realtime;
grant usage on schema realtime to postgres, anon, authenticated, service_role, supabase_realtime_admin;

-- Unlogged: the local server delivers at once and keeps nothing that must survive a crash.
create unlogged table if not exists realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  primary key (id, inserted_at)
);
create index if not exists messages_inserted_at_idx on realtime.messages (inserted_at);
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant supabase_realtime_admin to postgres;
grant create on schema realtime to supabase_realtime_admin;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;

create or replace function realtime.topic() returns text
language sql stable
as $$ select nullif(current_setting('realtime.topic', true), '')::text $$;

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql
as $$
declare
  message_id uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, payload, event, topic, private, extension)
  values (message_id, payload, event, topic, private, 'broadcast');
exception when others then
  raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end
$$;

-- NOTIFY carries at most 8,000 bytes: a larger message travels as its id and is read back by the server.
create or replace function realtime.announce() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  whole text := json_build_object('topic', new.topic, 'event', new.event, 'private', new.private, 'payload', new.payload)::text;
begin
  perform pg_notify('realtime_messages', case when octet_length(whole) < 7900 then whole
    else json_build_object('id', new.id)::text end);
  return null;
end
$$;
drop trigger if exists announce on realtime.messages;
create trigger announce after insert on realtime.messages
  for each row when (new.extension = 'broadcast') execute function realtime.announce();

create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new record, old record, level text default 'ROW'
) returns void
language plpgsql
as $$
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  end if;
  perform realtime.send(
    jsonb_build_object('old_record', old, 'record', new, 'operation', operation, 'table', table_name, 'schema', table_schema),
    event_name, topic_name);
end
$$;
grant execute on all functions in schema realtime to postgres, anon, authenticated, service_role;
do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
    alter publication supabase_realtime owner to postgres;
  end if;
end
$$;
