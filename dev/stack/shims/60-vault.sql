-- supabase_vault's surface. The key lies outside the reach of every role but the superuser.
create schema if not exists vault;
grant usage on schema vault to postgres, service_role;

create table if not exists vault._root_key (key bytea not null, only_row boolean primary key default true check (only_row));
insert into vault._root_key (key) values (extensions.gen_random_bytes(32)) on conflict do nothing;

create table if not exists vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index if not exists secrets_name_idx on vault.secrets (name) where name is not null;

create or replace function vault._encrypt(plain text, nonce bytea) returns text
language sql stable security definer set search_path = ''
as $$ select encode(extensions.encrypt_iv(convert_to(plain, 'UTF8'), (select key from vault._root_key), nonce, 'aes'), 'base64') $$;

create or replace function vault._decrypt(secret text, nonce bytea) returns text
language sql stable security definer set search_path = ''
as $$ select convert_from(extensions.decrypt_iv(decode(secret, 'base64'), (select key from vault._root_key), nonce, 'aes'), 'UTF8') $$;

create or replace view vault.decrypted_secrets as
  select id, name, description, secret, vault._decrypt(secret, nonce) as decrypted_secret, key_id, nonce, created_at, updated_at
  from vault.secrets;

create or replace function vault.create_secret(
  new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
) returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  new_nonce bytea := extensions.gen_random_bytes(16);
  secret_id uuid;
begin
  insert into vault.secrets (secret, nonce, name, description)
  values (vault._encrypt(new_secret, new_nonce), new_nonce, new_name, new_description)
  returning id into secret_id;
  return secret_id;
end
$$;

create or replace function vault.update_secret(
  secret_id uuid, new_secret text default null, new_name text default null, new_description text default null, new_key_id uuid default null
) returns void
language sql security definer set search_path = ''
as $$
  update vault.secrets s set
    secret = coalesce(vault._encrypt(new_secret, s.nonce), s.secret),
    name = coalesce(new_name, s.name),
    description = coalesce(new_description, s.description),
    updated_at = now()
  where s.id = secret_id
$$;

revoke execute on all functions in schema vault from public;
grant execute on function vault.create_secret, vault.update_secret, vault._decrypt to postgres, service_role;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres, service_role;
