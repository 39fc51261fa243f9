-- Schemas, login roles and default privileges. Revoke first: nothing made later is reachable until a
-- migration grants it by name.
--
-- public  = tables under row level security, readable through the Data API where a policy says so.
-- ec      = the domain: functions and internal tables. Never exposed to the Data API.
-- private = who-may-what helpers for policies and functions. Never exposed to the Data API.

create schema if not exists ec;
create schema if not exists private;

comment on schema ec is 'Domain functions and internal tables; not exposed to the Data API';
comment on schema private is 'Permission helpers of policies and functions; not exposed to the Data API';

-- Passwords are set where the system is deployed, never in a migration: without one nobody logs in.
do $$
begin
  if not exists (select from pg_roles where rolname = 'ec_api') then
    -- NOINHERIT: a request that forgets `set local role` reads nothing.
    create role ec_api login noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'ec_bridge') then
    create role ec_bridge login;
  end if;
  if not exists (select from pg_roles where rolname = 'ec_broker') then
    create role ec_broker login;
  end if;
  if not exists (select from pg_roles where rolname = 'ec_worker') then
    create role ec_worker login;
  end if;
end
$$;

grant anon, authenticated to ec_api;

grant usage on schema ec to authenticated, ec_api, ec_bridge, ec_broker, ec_worker;
grant usage on schema private to authenticated;
grant usage on schema public to anon, authenticated, service_role;

-- Postgres lets everybody execute every new function, and older Supabase projects hand new tables of
-- `public` to the API roles. Neither holds for what our migrations create.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke execute on functions from anon, authenticated, service_role;

-- A plain Postgres (the test clusters) may lack the two.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
  end if;
  if exists (select from pg_available_extensions where name = 'pg_net') then
    create extension if not exists pg_net with schema extensions;
  end if;
end
$$;
