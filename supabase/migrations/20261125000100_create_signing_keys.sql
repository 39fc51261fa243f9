-- What devices check an image with: one key pair for a product type and its maker. A device learns the public half when
-- it registers and keeps it for good, so a pair is made once and never replaced.

create table public.product_type_keys (
  product_type text not null references public.product_types (key) on delete cascade,
  maker_org_id uuid not null references public.orgs (id),
  public_key text not null,
  secret_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (product_type, maker_org_id)
);
create index product_type_keys_maker_org_id_idx on public.product_type_keys (maker_org_id);
comment on column public.product_type_keys.public_key is 'Ed25519, as the API encodes it';
comment on column public.product_type_keys.secret_id is 'The private key in Vault';

alter table public.product_type_keys enable row level security;
create policy product_type_keys_select on public.product_type_keys for select to authenticated
  using (maker_org_id = any (array(select private.my_org_ids())));
grant select (product_type, maker_org_id, public_key, created_at)
  on public.product_type_keys to authenticated, service_role;

create function ec.signing_key(product_type text, org_id uuid) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object('public_key', k.public_key, 'private_key', s.decrypted_secret)
  from public.product_type_keys k join vault.decrypted_secrets s on s.id = k.secret_id
  where k.product_type = signing_key.product_type and k.maker_org_id = signing_key.org_id
$$;
comment on function ec.signing_key(text, uuid) is
  'The API alone, never for a user''s eyes: {public_key, private_key}, null before the first need';

create function ec.store_signing_key(product_type text, org_id uuid, public_key text, private_key text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(format('ec.store_signing_key %s %s', product_type, org_id), 0));
  if ec.signing_key(product_type, org_id) is null then
    insert into public.product_type_keys (product_type, maker_org_id, public_key, secret_id)
    values (product_type, org_id, public_key, vault.create_secret(private_key,
      format('ec_ota_key_%s_%s', product_type, org_id), format('Signs firmware of %s', product_type)));
  end if;
  return ec.signing_key(product_type, org_id);
end
$$;
comment on function ec.store_signing_key(text, uuid, text, text) is
  'The API alone: keeps a new pair, or finds that somebody was faster; returns the pair that counts';

grant execute on function ec.signing_key(text, uuid), ec.store_signing_key(text, uuid, text, text) to ec_api;
