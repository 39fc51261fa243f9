-- Firmware: images in a private bucket, checked and signed at upload. An image belongs to the org that uploads it; the
-- devices it made, whoever holds them, trust its key.

alter table public.product_types
  add column chip text,
  add constraint chip_is_valid check (chip ~ '^[a-z0-9]{1,16}$');
comment on column public.product_types.chip is 'Images for another chip are refused; null = any. As esp32, esp32s3';
update public.product_types p set chip = 'esp32' where p.key in ('EC-CLIMATE-V1', 'tracker');

create table public.firmware (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id),
  product_type text not null references public.product_types (key),
  version text,
  notes text not null default '',
  filename text not null,
  size bigint not null,
  sha256 text,
  signature text,
  chip text,
  project text,
  idf_version text,
  raw bool not null default false,
  object_path text not null,
  state text not null default 'uploading',
  refused_reason text,
  created_by_kind text not null,
  created_by_id uuid,
  created_by_label text,
  created_at timestamptz not null default clock_timestamp(),
  ready_at timestamptz,
  constraint version_is_valid check (private.is_version(version)),
  constraint notes_are_short check (length(notes) <= 10000),
  constraint filename_is_short check (length(filename) between 1 and 255),
  constraint sha256_is_hex check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint state_is_known check (state in ('uploading', 'ready', 'refused', 'retired')),
  constraint ready_is_complete
    check (state <> 'ready' or num_nonnulls(version, sha256, signature, ready_at) = 4),
  constraint refused_has_a_reason check ((state = 'refused') = (refused_reason is not null))
);
create unique index firmware_versions_are_unique on public.firmware (org_id, product_type, version)
  where state in ('uploading', 'ready');
create index firmware_org_id_idx on public.firmware (org_id, created_at desc);
create index firmware_product_type_idx on public.firmware (product_type);
comment on column public.firmware.org_id is 'Who uploaded it: the maker of the devices that trust it';
comment on column public.firmware.version is 'Null while uploading = the image header says it; without a leading v';
comment on column public.firmware.signature is 'Base64 Ed25519 over sha256 (32 bytes) ‖ version ‖ product_type';
comment on column public.firmware.raw is 'Taken without looking for an ESP32 image header';
comment on column public.firmware.object_path is 'In the bucket firmware: org/product type/id.bin';

-- Whoever holds a device of this maker and type chooses among what is ready.
alter table public.firmware enable row level security;
create policy firmware_select on public.firmware for select to authenticated
  using (
    org_id = any (array(select private.my_org_ids()))
    or state = 'ready' and exists (
      select from public.devices d
      where d.org_id = any (array(select private.my_org_ids()))
        and d.product_type = firmware.product_type and d.maker_org_id = firmware.org_id
    )
  );
-- Who uploaded it is a person's address: private.firmware_uploader tells the maker's own people.
grant select (id, org_id, product_type, version, notes, filename, size, sha256, signature, chip, project, idf_version, raw,
  object_path, state, refused_reason, created_by_kind, created_at, ready_at) on public.firmware to authenticated;
grant select on public.firmware to service_role;

create function private.firmware_uploader(firmware_id uuid) returns text
language sql stable security definer
set search_path = ''
as $$
  select f.created_by_label from public.firmware f
  where f.id = firmware_uploader.firmware_id and f.org_id = any (array(select private.my_org_ids()))
$$;
comment on function private.firmware_uploader(uuid) is 'Null for who only holds devices of the maker';
grant execute on function private.firmware_uploader(uuid) to authenticated;

-- No policy opens it: signed addresses alone lead to an object.
insert into storage.buckets (id, name, public, file_size_limit)
values ('firmware', 'firmware', false, 33554432)
on conflict (id) do update set public = excluded.public, file_size_limit = excluded.file_size_limit;

create function private.firmware_json(firmware public.firmware) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', firmware.id, 'org_id', firmware.org_id, 'product_type', firmware.product_type, 'version', firmware.version,
    'notes', firmware.notes, 'filename', firmware.filename, 'size', firmware.size, 'sha256', firmware.sha256,
    'signature', firmware.signature, 'chip', firmware.chip, 'project', firmware.project,
    'idf_version', firmware.idf_version, 'raw', firmware.raw, 'object_path', firmware.object_path,
    'state', firmware.state, 'refused_reason', firmware.refused_reason, 'created_by', firmware.created_by_label,
    'created_by_kind', firmware.created_by_kind, 'created_at', ec.iso_time(firmware.created_at),
    'ready_at', ec.iso_time(firmware.ready_at))
$$;
