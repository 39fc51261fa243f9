-- After lite made auth.* and storage.*: the rights that hosted gives.
-- lite serves as this role and changes to the caller's for each request: it reaches Auth and Storage, nothing of ours.
alter role supabase_auth_admin login noinherit bypassrls;
grant anon, authenticated, service_role to supabase_auth_admin;
-- lite finds the tables of the Data API in information_schema, which shows only what one may read.
do $$
begin
  -- Postgres 15 knows inheriting per role only.
  if current_setting('server_version_num')::int >= 160000 then
    execute 'grant pg_read_all_data to supabase_auth_admin with inherit true';
  else
    alter role supabase_auth_admin inherit;
    grant pg_read_all_data to supabase_auth_admin;
  end if;
end
$$;
grant all on all tables in schema storage to supabase_auth_admin;
grant usage on schema storage, extensions to supabase_auth_admin;
grant execute on all functions in schema auth, storage to supabase_auth_admin;
grant usage on schema auth, storage to anon, authenticated, service_role, postgres, supabase_auth_admin;
grant all on all tables in schema auth to postgres, service_role, supabase_auth_admin;
grant all on all sequences in schema auth to postgres, service_role, supabase_auth_admin;
grant execute on all functions in schema auth to anon, authenticated, service_role, postgres;
grant all on all tables in schema storage to postgres, service_role;
grant select, insert, update, delete on all tables in schema storage to anon, authenticated;
grant execute on all functions in schema storage to anon, authenticated, service_role, postgres;

-- Policies need the owner's rights in plain Postgres; the event trigger in 70 keeps it to policies.
grant supabase_storage_admin to postgres;
grant create on schema storage to supabase_storage_admin;
grant usage on schema storage to supabase_storage_admin;
do $$
declare
  name text;
begin
  for name in select tablename from pg_tables where schemaname = 'storage' loop
    execute format('alter table storage.%I owner to supabase_storage_admin', name);
  end loop;
end
$$;
alter table storage.objects enable row level security;
alter table storage.buckets enable row level security;
