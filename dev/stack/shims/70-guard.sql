-- Hosted Supabase refuses DDL of `postgres` in its own schemas, policies excepted. So does this.
create or replace function extensions.refuse_system_ddl() returns event_trigger
language plpgsql set search_path = ''
as $$
declare
  command record;
begin
  if current_user <> 'postgres' then
    return;
  end if;
  for command in select * from pg_event_trigger_ddl_commands() loop
    if command.schema_name in ('auth', 'storage', 'realtime', 'vault', 'cron', 'net')
      and command.command_tag not in ('CREATE POLICY', 'ALTER POLICY', 'GRANT', 'REVOKE', 'COMMENT', 'CREATE TRIGGER') then
      raise exception '% on % is refused: hosted Supabase owns schema %', command.command_tag, command.object_identity, command.schema_name
        using errcode = '42501';
    end if;
  end loop;
end
$$;
drop event trigger if exists refuse_system_ddl;
create event trigger refuse_system_ddl on ddl_command_end execute function extensions.refuse_system_ddl();
