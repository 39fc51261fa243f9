-- What the migrations make, read from the catalog of a freshly migrated database: the place to see the whole
-- schema at once, and what a migration changed. Made by dev/scripts/generate/schema-snapshot.ts; never applied.

-- Roles

create role ec_api login noinherit;
grant anon to ec_api;
grant authenticated to ec_api;

create role ec_bridge login;
create role ec_broker login;
create role ec_worker login;

-- Schemas

create schema ec;
grant usage on schema ec to authenticated;
grant usage on schema ec to ec_api;
grant usage on schema ec to ec_bridge;
grant usage on schema ec to ec_broker;
grant usage on schema ec to ec_worker;

create schema private;
grant usage on schema private to authenticated;

create schema public;
grant usage on schema public to anon;
grant usage on schema public to authenticated;
grant usage on schema public to public;
grant usage on schema public to service_role;

-- Default privileges that remain

alter default privileges grant execute on functions to postgres;

-- Types

create type ec.reading_windows as (
  w_temp double precision[],
  w_hum double precision[],
  w_co2 double precision[],
  w_bat double precision[]
);

create type private.ota_place as (
  device_id uuid,
  device_num integer,
  serial text,
  name text,
  fw_version text,
  status text,
  reason text,
  detail jsonb,
  stage integer,
  "position" integer
);

-- Tables

create table ec.firmware_links (
  token_sha256 bytea not null,
  firmware_id uuid not null,
  job_device_id bigint,
  expires_at timestamp with time zone not null,
  constraint firmware_links_pkey PRIMARY KEY (token_sha256),
  constraint firmware_links_firmware_id_fkey FOREIGN KEY (firmware_id) REFERENCES public.firmware(id) ON DELETE CASCADE,
  constraint firmware_links_job_device_id_fkey FOREIGN KEY (job_device_id) REFERENCES public.ota_job_devices(id) ON DELETE CASCADE
);
alter table ec.firmware_links enable row level security;
CREATE INDEX firmware_links_expires_at_idx ON ec.firmware_links USING btree (expires_at);
CREATE INDEX firmware_links_firmware_id_idx ON ec.firmware_links USING btree (firmware_id);
CREATE INDEX firmware_links_job_device_id_idx ON ec.firmware_links USING btree (job_device_id);

create table ec.heartbeats (
  source text not null,
  up_since timestamp with time zone not null,
  beat_at timestamp with time zone not null,
  constraint heartbeats_pkey PRIMARY KEY (source)
);
alter table ec.heartbeats enable row level security;
comment on table ec.heartbeats is 'Since when a part of the platform is up without a break; bridges beat every 10 seconds';

create table ec.idempotency_keys (
  actor_kind text not null,
  actor_id uuid not null,
  key text not null,
  request_sha256 bytea not null,
  status integer,
  response jsonb,
  created_at timestamp with time zone default now() not null,
  constraint idempotency_keys_pkey PRIMARY KEY (actor_kind, actor_id, key),
  constraint key_is_short CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);
alter table ec.idempotency_keys enable row level security;
CREATE INDEX idempotency_keys_created_at_idx ON ec.idempotency_keys USING btree (created_at);
comment on column ec.idempotency_keys.response is 'Never contains a secret; null while the first request still runs';

create table ec.ingest_log (
  id bigint generated always as identity not null,
  device_nums integer[] not null,
  minutes integer[] not null,
  created_at timestamp with time zone default now() not null,
  constraint ingest_log_pkey PRIMARY KEY (id)
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000);
alter table ec.ingest_log enable row level security;
comment on table ec.ingest_log is 'What changed since the last roll-up: parallel arrays of device and minute (epoch / 60), consumed by ec.run_rollups()';

create unlogged table ec.live_leases (
  topic text not null,
  kind text not null,
  org_id uuid not null,
  org_num integer not null,
  device_num integer,
  expires_at timestamp with time zone not null,
  last_sent_at timestamp with time zone,
  job_id uuid,
  constraint live_leases_pkey PRIMARY KEY (topic),
  constraint kind_is_known CHECK ((kind = ANY (ARRAY['device'::text, 'org'::text, 'bell'::text, 'job'::text])))
);
alter table ec.live_leases enable row level security;
CREATE INDEX live_leases_device_num_idx ON ec.live_leases USING btree (device_num) WHERE (kind = 'device'::text);
CREATE INDEX live_leases_job_id_idx ON ec.live_leases USING btree (job_id) WHERE (kind = 'job'::text);
CREATE INDEX live_leases_org_num_idx ON ec.live_leases USING btree (org_num) WHERE (kind = 'org'::text);
comment on table ec.live_leases is 'Topics somebody looks at now; unlogged, viewers renew within seconds';

create unlogged table ec.live_pending (
  id bigint generated always as identity not null,
  topic text not null,
  device_num integer not null,
  constraint live_pending_pkey PRIMARY KEY (id)
);
alter table ec.live_pending enable row level security;
CREATE INDEX live_pending_topic_idx ON ec.live_pending USING btree (topic);
comment on table ec.live_pending is 'Devices that changed since their leased topic was last sent';

create table ec.mail_outbox (
  id bigint generated always as identity not null,
  org_id uuid,
  to_address text not null,
  template text not null,
  data jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  next_attempt_at timestamp with time zone default now() not null,
  claimed_by text,
  claimed_until timestamp with time zone,
  sent_at timestamp with time zone,
  attempts integer default 0 not null,
  last_error text,
  failed_at timestamp with time zone,
  constraint mail_outbox_pkey PRIMARY KEY (id),
  constraint mail_outbox_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id)
);
alter table ec.mail_outbox enable row level security;
CREATE INDEX mail_outbox_org_id_idx ON ec.mail_outbox USING btree (org_id);
CREATE INDEX mail_outbox_unsent_idx ON ec.mail_outbox USING btree (next_attempt_at) WHERE ((sent_at IS NULL) AND (failed_at IS NULL));
comment on column ec.mail_outbox.failed_at is 'Given up; data is emptied, as it is once sent, because it may hold a token';

create table ec.mqtt_outbox (
  id bigint generated always as identity not null,
  serial text not null,
  topic text not null,
  payload text not null,
  qos integer default 1 not null,
  retain boolean default false not null,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  claimed_by text,
  claimed_until timestamp with time zone,
  sent_at timestamp with time zone,
  attempts integer default 0 not null,
  command_id uuid,
  ota_id bigint,
  constraint mqtt_outbox_pkey PRIMARY KEY (id),
  constraint qos_is_valid CHECK (((qos >= 0) AND (qos <= 2)))
);
alter table ec.mqtt_outbox enable row level security;
CREATE INDEX mqtt_outbox_retained_idx ON ec.mqtt_outbox USING btree (id) WHERE (retain AND (sent_at IS NOT NULL));
CREATE INDEX mqtt_outbox_sent_at_idx ON ec.mqtt_outbox USING btree (sent_at) WHERE (sent_at IS NOT NULL);
CREATE INDEX mqtt_outbox_unsent_idx ON ec.mqtt_outbox USING btree (id) WHERE (sent_at IS NULL);
CREATE INDEX mqtt_outbox_unsent_topic_idx ON ec.mqtt_outbox USING btree (topic, id) WHERE (sent_at IS NULL);
comment on column ec.mqtt_outbox.payload is 'Empty with retain = clears what the broker keeps for the topic';
comment on column ec.mqtt_outbox.ota_id is 'The execution it tells its device about';

create table ec.notification_reads (
  notification_id uuid not null,
  reader_id uuid not null,
  read_at timestamp with time zone default clock_timestamp() not null,
  constraint notification_reads_pkey PRIMARY KEY (notification_id, reader_id),
  constraint notification_reads_notification_id_fkey FOREIGN KEY (notification_id) REFERENCES public.notifications(id) ON DELETE CASCADE
);
alter table ec.notification_reads enable row level security;

create unlogged table ec.rate_windows (
  key text not null,
  window_start timestamp with time zone not null,
  used integer not null,
  granted integer not null,
  constraint rate_windows_pkey PRIMARY KEY (key),
  constraint key_is_short CHECK (((length(key) >= 1) AND (length(key) <= 400))),
  constraint used_is_positive CHECK ((used >= 0))
) with (fillfactor=50);
alter table ec.rate_windows enable row level security;
comment on table ec.rate_windows is 'One row per limited thing; unlogged, a crash forgets at most one window';
comment on column ec.rate_windows.granted is 'Of the newest call; negative when turns were given back';

create table ec.rollup_pending (
  level text not null,
  device_num integer not null,
  org_num integer default 0 not null,
  bucket timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  constraint rollup_pending_pkey PRIMARY KEY (level, device_num, org_num, bucket),
  constraint level_is_known CHECK ((level = ANY (ARRAY['5m'::text, '15m'::text, '1h'::text, '1d'::text])))
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000);
alter table ec.rollup_pending enable row level security;
CREATE INDEX rollup_pending_due_idx ON ec.rollup_pending USING btree (level, ends_at);
comment on table ec.rollup_pending is 'Roll-up buckets to compute once they are over';

create table ec.rollup_progress (
  only_row boolean default true not null,
  rolled_until timestamp with time zone not null,
  constraint rollup_progress_pkey PRIMARY KEY (only_row),
  constraint there_is_one_row CHECK (only_row)
);
alter table ec.rollup_progress enable row level security;
comment on table ec.rollup_progress is 'Charts read roll-ups before rolled_until and raw rows after it';

create table ec.rollups_15m_default (
  device_num integer not null,
  bucket timestamp with time zone not null,
  tenure_id integer not null,
  org_num integer not null,
  keys text[] not null,
  counts integer[] not null,
  mins double precision[] not null,
  maxs double precision[] not null,
  sums double precision[] not null,
  constraint rollups_15m_default_pkey PRIMARY KEY (device_num, bucket, tenure_id)
);
-- partition of public.rollups_15m DEFAULT
alter table ec.rollups_15m_default enable row level security;

create table ec.rollups_1m_default (
  device_num integer not null,
  bucket timestamp with time zone not null,
  tenure_id integer not null,
  org_num integer not null,
  keys text[] not null,
  counts integer[] not null,
  mins double precision[] not null,
  maxs double precision[] not null,
  sums double precision[] not null,
  constraint rollups_1m_default_pkey PRIMARY KEY (device_num, bucket, tenure_id)
);
-- partition of public.rollups_1m DEFAULT
alter table ec.rollups_1m_default enable row level security;

create table ec.rollups_5m_default (
  device_num integer not null,
  bucket timestamp with time zone not null,
  tenure_id integer not null,
  org_num integer not null,
  keys text[] not null,
  counts integer[] not null,
  mins double precision[] not null,
  maxs double precision[] not null,
  sums double precision[] not null,
  constraint rollups_5m_default_pkey PRIMARY KEY (device_num, bucket, tenure_id)
);
-- partition of public.rollups_5m DEFAULT
alter table ec.rollups_5m_default enable row level security;

create table ec.telemetry_default (
  device_num integer not null,
  ts timestamp with time zone not null,
  received_at timestamp with time zone default now() not null,
  org_num integer not null,
  tenure_id integer not null,
  seq bigint,
  data jsonb not null,
  constraint telemetry_default_pkey PRIMARY KEY (device_num, ts)
);
-- partition of public.telemetry DEFAULT
alter table ec.telemetry_default enable row level security;

create table ec.webhook_outbox (
  id bigint generated always as identity not null,
  org_id uuid not null,
  event text not null,
  payload jsonb not null,
  created_at timestamp with time zone default now() not null,
  next_attempt_at timestamp with time zone default now() not null,
  claimed_by text,
  claimed_until timestamp with time zone,
  sent_at timestamp with time zone,
  attempts integer default 0 not null,
  last_error text,
  constraint webhook_outbox_pkey PRIMARY KEY (id),
  constraint webhook_outbox_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id)
);
alter table ec.webhook_outbox enable row level security;
CREATE INDEX webhook_outbox_org_id_idx ON ec.webhook_outbox USING btree (org_id);
CREATE INDEX webhook_outbox_unsent_idx ON ec.webhook_outbox USING btree (next_attempt_at) WHERE (sent_at IS NULL);

create table public.api_keys (
  id uuid default gen_random_uuid() not null,
  org_id uuid not null,
  name text not null,
  prefix text not null,
  key_sha256 bytea not null,
  scopes text[] not null,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.profiles(id) ON DELETE SET NULL,
  constraint api_keys_key_sha256_key UNIQUE (key_sha256),
  constraint api_keys_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint key_sha256_is_a_sha256 CHECK ((length(key_sha256) = 32)),
  constraint name_is_valid CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 200))),
  constraint prefix_is_short CHECK (((length(prefix) >= 8) AND (length(prefix) <= 24))),
  constraint scopes_are_known CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['read'::text, 'write'::text, 'ota'::text, 'provision'::text])))
);
alter table public.api_keys enable row level security;
CREATE INDEX api_keys_created_by_idx ON public.api_keys USING btree (created_by);
CREATE INDEX api_keys_org_id_idx ON public.api_keys USING btree (org_id);
create policy api_keys_select on public.api_keys for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_managed_org_ids() AS my_managed_org_ids)));
grant select (id, org_id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at) on public.api_keys to authenticated;
grant select (id, org_id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at) on public.api_keys to service_role;
comment on column public.api_keys.prefix is 'First characters of the key, to recognise it by';

create table public.audit_log (
  id bigint generated always as identity not null,
  org_id uuid,
  partner_id uuid,
  actor_kind text not null,
  actor_id uuid,
  actor_label text,
  action text not null,
  target_kind text,
  target_id text,
  before jsonb,
  after jsonb,
  request_id text,
  created_at timestamp with time zone default now() not null,
  address inet,
  constraint audit_log_pkey PRIMARY KEY (id)
);
alter table public.audit_log enable row level security;
CREATE INDEX audit_log_org_id_idx ON public.audit_log USING btree (org_id, id DESC);
CREATE INDEX audit_log_partner_id_idx ON public.audit_log USING btree (partner_id, id DESC) WHERE (partner_id IS NOT NULL);
create policy audit_log_select on public.audit_log for select to authenticated
  using ((org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) OR (partner_id = ANY (ARRAY( SELECT private.my_partner_ids() AS my_partner_ids))) OR ( SELECT private.is_admin() AS is_admin));
CREATE TRIGGER audit_log_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_audit_change();
grant select on public.audit_log to authenticated;
grant select on public.audit_log to service_role;
comment on table public.audit_log is 'Append-only, and without foreign keys: it outlives what it describes';
comment on column public.audit_log.address is 'Where the request came from, as far as the configured proxies tell';

create table public.claim_codes (
  id uuid default gen_random_uuid() not null,
  device_id uuid not null,
  code_sha256 bytea not null,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  ended_reason text,
  used_by uuid,
  constraint claim_codes_pkey PRIMARY KEY (id),
  constraint claim_codes_code_sha256_key UNIQUE (code_sha256),
  constraint claim_codes_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE,
  constraint claim_codes_used_by_fkey FOREIGN KEY (used_by) REFERENCES public.profiles(id) ON DELETE SET NULL,
  constraint code_sha256_is_a_sha256 CHECK ((length(code_sha256) = 32)),
  constraint ended_codes_have_a_reason CHECK (((ended_reason IS NOT NULL) = ((used_at IS NOT NULL) OR (revoked_at IS NOT NULL)))),
  constraint ended_reason_is_known CHECK ((ended_reason = ANY (ARRAY['used'::text, 'reissued'::text, 'transferred'::text, 'unclaimed'::text, 'retired'::text])))
);
alter table public.claim_codes enable row level security;
CREATE INDEX claim_codes_device_id_idx ON public.claim_codes USING btree (device_id);
CREATE INDEX claim_codes_used_by_idx ON public.claim_codes USING btree (used_by) WHERE (used_by IS NOT NULL);
create policy claim_codes_select on public.claim_codes for select to authenticated
  using (EXISTS ( SELECT
   FROM public.devices d
  WHERE ((d.id = claim_codes.device_id) AND (d.org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))))));
grant select (id, device_id, created_at, expires_at, used_at, revoked_at, ended_reason, used_by) on public.claim_codes to authenticated;
grant select (id, device_id, created_at, expires_at, used_at, revoked_at, ended_reason, used_by) on public.claim_codes to service_role;
comment on table public.claim_codes is 'The single-use code in a device''s QR; not the device''s secret';
comment on column public.claim_codes.ended_reason is 'Null = may be used, unless it expired';

create table public.control_definitions (
  product_type text not null,
  key text not null,
  label text not null,
  hint text default ''::text not null,
  kind text not null,
  unit text default ''::text not null,
  min_value double precision,
  max_value double precision,
  step double precision,
  decimals integer default 0 not null,
  options jsonb default '[]'::jsonb not null,
  on_label text,
  off_label text,
  confirm boolean default false not null,
  sort integer default 100 not null,
  constraint control_definitions_pkey PRIMARY KEY (product_type, key),
  constraint choices_have_options CHECK (((jsonb_typeof(options) = 'array'::text) AND ((kind = 'enum'::text) = (jsonb_array_length(options) > 0)) AND (NOT jsonb_path_exists(options, '$[*]?(!(@."label".type() == "string") || !(@."value".type() == "string" || @."value".type() == "number"))'::jsonpath)))),
  constraint control_definitions_product_type_fkey FOREIGN KEY (product_type) REFERENCES public.product_types(key) ON DELETE CASCADE,
  constraint decimals_are_sane CHECK (((decimals >= 0) AND (decimals <= 9))),
  constraint key_is_valid CHECK ((key ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'::text)),
  constraint kind_is_known CHECK ((kind = ANY (ARRAY['boolean'::text, 'number'::text, 'enum'::text, 'text'::text]))),
  constraint numbers_alone_have_ranges CHECK (((kind = 'number'::text) OR (num_nulls(min_value, max_value, step) = 3))),
  constraint range_is_ordered CHECK ((min_value < max_value)),
  constraint step_is_positive CHECK ((step > (0)::double precision))
);
alter table public.control_definitions enable row level security;
create policy control_definitions_select on public.control_definitions for select to authenticated
  using (product_type = ANY (ARRAY( SELECT private.my_product_types() AS my_product_types)));
grant select on public.control_definitions to authenticated;
grant select on public.control_definitions to service_role;
comment on table public.control_definitions is 'How a key of the desired document is shown and set';
comment on column public.control_definitions.hint is 'One plain sentence: what it does';
comment on column public.control_definitions.options is 'Choices of an enum in order: [{"value": text or number, "label": text}]';
comment on column public.control_definitions.confirm is 'A screen asks once more before it sends a change';

create table public.dead_letters (
  id bigint generated always as identity not null,
  org_id uuid,
  device_id uuid,
  serial text,
  door text not null,
  reason text not null,
  detail text,
  payload text,
  payload_bytes integer default 0 not null,
  received_at timestamp with time zone default now() not null,
  created_at timestamp with time zone default now() not null,
  constraint dead_letters_pkey PRIMARY KEY (id),
  constraint dead_letters_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE SET NULL,
  constraint dead_letters_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint door_is_known CHECK ((door = ANY (ARRAY['mqtt'::text, 'https'::text]))),
  constraint payload_is_cut CHECK ((octet_length(payload) <= 8192))
);
alter table public.dead_letters enable row level security;
CREATE INDEX dead_letters_device_id_idx ON public.dead_letters USING btree (device_id, id DESC);
CREATE INDEX dead_letters_org_id_idx ON public.dead_letters USING btree (org_id, id DESC);
create policy dead_letters_select on public.dead_letters for select to authenticated
  using ((org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) OR ((org_id IS NULL) AND ( SELECT private.is_admin() AS is_admin)));
grant select on public.dead_letters to authenticated;
grant select on public.dead_letters to service_role;
comment on table public.dead_letters is 'Packets that were refused, and why; org_id is null for unknown serials';

create table public.deviations (
  id bigint generated always as identity not null,
  device_num integer not null,
  org_num integer not null,
  tenure_id integer not null,
  metric text not null,
  ts timestamp with time zone not null,
  value double precision not null,
  mean double precision not null,
  pct double precision not null,
  handled_at timestamp with time zone,
  constraint deviations_pkey PRIMARY KEY (id)
);
alter table public.deviations enable row level security;
CREATE INDEX deviations_org_num_idx ON public.deviations USING btree (org_num, ts);
CREATE INDEX deviations_unhandled_idx ON public.deviations USING btree (id) WHERE (handled_at IS NULL);
create policy deviations_select on public.deviations for select to authenticated
  using (org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums)));
grant select on public.deviations to authenticated;
grant select on public.deviations to service_role;
comment on table public.deviations is 'Readings far from the mean of their own preceding 29; cron turns them into anomalies';

create table public.device_commands (
  id uuid default gen_random_uuid() not null,
  device_id uuid not null,
  device_num integer not null,
  serial text not null,
  org_id uuid not null,
  tenure_id integer not null,
  type text not null,
  payload jsonb,
  state text default 'queued'::text not null,
  created_by_kind text not null,
  created_by_id uuid,
  created_by_label text,
  created_at timestamp with time zone default clock_timestamp() not null,
  expires_at timestamp with time zone not null,
  sent_at timestamp with time zone,
  sent_door text,
  sends integer default 0 not null,
  acknowledged_at timestamp with time zone,
  result jsonb,
  reason text,
  outbox_id bigint,
  constraint device_commands_pkey PRIMARY KEY (id),
  constraint device_commands_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE,
  constraint device_commands_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint door_is_known CHECK ((sent_door = ANY (ARRAY['mqtt'::text, 'https'::text]))),
  constraint state_is_known CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'acknowledged'::text, 'failed'::text, 'expired'::text]))),
  constraint type_is_valid CHECK ((type ~ '^[a-z][a-z0-9_]{0,39}$'::text))
);
alter table public.device_commands enable row level security;
CREATE INDEX device_commands_closed_idx ON public.device_commands USING btree (created_at) WHERE (state <> ALL (ARRAY['queued'::text, 'sent'::text]));
CREATE INDEX device_commands_device_id_idx ON public.device_commands USING btree (device_id, created_at DESC, id DESC);
CREATE INDEX device_commands_open_expires_at_idx ON public.device_commands USING btree (expires_at) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text]));
CREATE INDEX device_commands_open_idx ON public.device_commands USING btree (device_num) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text]));
CREATE INDEX device_commands_org_id_idx ON public.device_commands USING btree (org_id);
create policy device_commands_select on public.device_commands for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids)));
grant select on public.device_commands to authenticated;
grant select on public.device_commands to service_role;
comment on column public.device_commands.org_id is 'Who held the device when it was sent: only they read it';
comment on column public.device_commands.sent_at is 'The broker acknowledged it, or the HTTPS door handed it out; the last time';
comment on column public.device_commands.reason is 'Why it did not happen: the device''s words, or cancelled, handed_over, retired, not_reached, not_answered';
comment on column public.device_commands.outbox_id is 'Its message on the way to the broker';

create table public.device_credentials (
  id uuid default gen_random_uuid() not null,
  device_id uuid not null,
  serial text not null,
  password_hash text not null,
  salt text not null,
  secret_sha256 bytea not null,
  issued_by_kind text not null,
  issued_by_id uuid not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  first_used_at timestamp with time zone,
  last_used_at timestamp with time zone,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint device_credentials_pkey PRIMARY KEY (id),
  constraint device_credentials_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE,
  constraint device_credentials_secret_sha256_key UNIQUE (secret_sha256),
  constraint password_hash_is_mosquitto_pbkdf2 CHECK ((password_hash ~ '^\$7\$101\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$'::text)),
  constraint salt_is_12_ascii_characters CHECK ((salt ~ '^[\x21-\x7e]{12}$'::text)),
  constraint secret_sha256_is_a_sha256 CHECK ((length(secret_sha256) = 32))
);
alter table public.device_credentials enable row level security;
CREATE INDEX device_credentials_device_id_idx ON public.device_credentials USING btree (device_id);
CREATE INDEX device_credentials_live_serial_idx ON public.device_credentials USING btree (serial) WHERE (revoked_at IS NULL);
create policy device_credentials_select on public.device_credentials for select to authenticated
  using (EXISTS ( SELECT
   FROM public.devices d
  WHERE ((d.id = device_credentials.device_id) AND (d.org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))))));
grant select (id, device_id, serial, issued_by_kind, issued_by_id, created_at, first_used_at, last_used_at, expires_at, revoked_at) on public.device_credentials to authenticated;
grant select (id, device_id, serial, issued_by_kind, issued_by_id, created_at, first_used_at, last_used_at, expires_at, revoked_at) on public.device_credentials to service_role;
comment on column public.device_credentials.password_hash is 'Mosquitto''s $7$101$<base64 salt>$<base64 hash>: PBKDF2-SHA512 over the secret, checked by brokers';
comment on column public.device_credentials.secret_sha256 is 'Checked by the HTTPS door; the secret is 256 random bits';
comment on column public.device_credentials.expires_at is 'End of the overlap after a rotation; null = open end';

create table public.device_filters (
  id uuid default gen_random_uuid() not null,
  org_id uuid not null,
  name text not null,
  filter jsonb not null,
  created_by_kind text not null,
  created_by_id uuid,
  created_by_label text,
  created_at timestamp with time zone default clock_timestamp() not null,
  constraint device_filters_pkey PRIMARY KEY (id),
  constraint device_filters_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint filter_is_an_object CHECK (((jsonb_typeof(filter) = 'object'::text) AND (octet_length((filter)::text) <= 4096))),
  constraint name_is_valid CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 200)))
);
alter table public.device_filters enable row level security;
CREATE UNIQUE INDEX device_filters_name_is_unique ON public.device_filters USING btree (org_id, lower(name));
create policy device_filters_select on public.device_filters for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids)));
grant select on public.device_filters to authenticated;
grant select on public.device_filters to service_role;
comment on column public.device_filters.filter is '{room_id?, location_id?, product_type?, status?, lifecycle?, tag?, fw_version?, q?}: all must hold';

create table public.device_reboots (
  device_num integer not null,
  booted_at timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  org_num integer not null,
  tenure_id integer not null,
  reason text,
  fw_version text,
  previous_uptime_s double precision,
  constraint device_reboots_pkey PRIMARY KEY (device_num, booted_at),
  constraint fw_version_is_short CHECK ((length(fw_version) <= 64)),
  constraint reason_is_short CHECK ((length(reason) <= 40))
);
alter table public.device_reboots enable row level security;
CREATE INDEX device_reboots_org_num_idx ON public.device_reboots USING btree (org_num, booted_at);
create policy device_reboots_select on public.device_reboots for select to authenticated
  using ((org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums))) OR (tenure_id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.device_reboots to authenticated;
grant select on public.device_reboots to service_role;
comment on table public.device_reboots is 'One row per start of a device, from the first packet after it';
comment on column public.device_reboots.booted_at is 'The packet''s time less the uptime it reports';
comment on column public.device_reboots.reason is 'As the device says it, in capitals: POWERON, SW, PANIC, …; null = it did not say';
comment on column public.device_reboots.fw_version is 'What runs since then';
comment on column public.device_reboots.previous_uptime_s is 'How long it had run before, as last heard';

create table public.device_state (
  device_num integer not null,
  device_id uuid not null,
  serial text not null,
  org_num integer not null,
  tenure_id integer not null,
  tenure_started_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  product_type text not null,
  reported jsonb default '{}'::jsonb not null,
  reported_at timestamp with time zone,
  older jsonb default '{}'::jsonb not null,
  packet_keys text[] default '{}'::text[] not null,
  reported_version bigint default 0 not null,
  last_seen timestamp with time zone,
  last_telemetry_at timestamp with time zone,
  last_door text,
  connected boolean default false not null,
  connected_changed_at timestamp with time zone,
  active boolean default false not null,
  offline_alerted_at timestamp with time zone,
  last_seq bigint,
  w_temp double precision[] default '{}'::double precision[] not null,
  w_hum double precision[] default '{}'::double precision[] not null,
  w_co2 double precision[] default '{}'::double precision[] not null,
  w_bat double precision[] default '{}'::double precision[] not null,
  s_temp double precision default 0 not null,
  s_hum double precision default 0 not null,
  s_co2 double precision default 0 not null,
  s_bat double precision default 0 not null,
  pending boolean default false not null,
  named_version text,
  named_version_at timestamp with time zone,
  fw_version text,
  announces boolean default false not null,
  constraint device_state_pkey PRIMARY KEY (device_num),
  constraint device_state_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE,
  constraint device_state_device_id_key UNIQUE (device_id),
  constraint device_state_serial_key UNIQUE (serial)
) with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_threshold=2000, fillfactor=50);
alter table public.device_state enable row level security;
CREATE INDEX device_state_org_num_idx ON public.device_state USING btree (org_num);
CREATE INDEX device_state_tenure_id_idx ON public.device_state USING btree (tenure_id);
create policy device_state_select on public.device_state for select to authenticated
  using ((org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums))) OR (tenure_id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.device_state to authenticated;
grant select on public.device_state to service_role;
comment on column public.device_state.tenure_started_at is 'Start of tenure_id, −infinity for the first: readings from before belong to an earlier tenure';
comment on column public.device_state.older is 'Key → time, only for reported keys absent from the newest packet';
comment on column public.device_state.packet_keys is 'The keys of reported that are not in older: a packet with the same keys needs no comparison key by key';
comment on column public.device_state.last_seen is 'Arrival of the last accepted message by any door';
comment on column public.device_state.connected is 'Broker session; says nothing about telemetry';
comment on column public.device_state.w_temp is 'The last readings of the metric, oldest first, at most 29; s_temp their sum';
comment on column public.device_state.pending is 'Something waits for the device''s next sign of life; ingest reads the row anyway and looks further only then';
comment on column public.device_state.named_version is 'The firmware version the device named last, by the time of its packet';
comment on column public.device_state.fw_version is 'What of it has been passed on to devices.fw_version: ingest compares packets with it';
comment on column public.device_state.announces is 'It has sent a status message before, so that `connected` can be believed however long it is silent';

create table public.device_tenures (
  id integer generated always as identity not null,
  device_id uuid not null,
  device_num integer not null,
  org_id uuid not null,
  location_id uuid,
  customer_id uuid,
  started_at timestamp with time zone default clock_timestamp() not null,
  ended_at timestamp with time zone,
  constraint device_tenures_pkey PRIMARY KEY (id),
  constraint device_tenures_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.profiles(id) ON DELETE SET NULL,
  constraint device_tenures_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE,
  constraint device_tenures_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint ends_after_start CHECK ((ended_at >= started_at))
);
alter table public.device_tenures enable row level security;
CREATE UNIQUE INDEX device_tenures_are_open_once_per_device ON public.device_tenures USING btree (device_id) WHERE (ended_at IS NULL);
CREATE INDEX device_tenures_customer_id_idx ON public.device_tenures USING btree (customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX device_tenures_device_id_idx ON public.device_tenures USING btree (device_id, started_at);
CREATE INDEX device_tenures_location_id_idx ON public.device_tenures USING btree (location_id) WHERE (location_id IS NOT NULL);
CREATE INDEX device_tenures_org_id_idx ON public.device_tenures USING btree (org_id);
create policy device_tenures_select on public.device_tenures for select to authenticated
  using ((org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) OR (id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.device_tenures to authenticated;
grant select on public.device_tenures to service_role;
comment on table public.device_tenures is 'A new row whenever holder, room, customer or the room''s tenancy changes; telemetry carries its id';

create table public.devices (
  id uuid default gen_random_uuid() not null,
  num integer generated always as identity not null,
  serial text not null,
  product_type text not null,
  fw_version text,
  lifecycle text default 'manufactured'::text not null,
  maker_org_id uuid not null,
  org_id uuid not null,
  customer_id uuid,
  location_id uuid,
  name text,
  online_window_s integer,
  attributes jsonb default '{}'::jsonb not null,
  tags text[] default '{}'::text[] not null,
  desired jsonb default '{}'::jsonb not null,
  desired_version bigint default 0 not null,
  pending_fw_version text,
  pending_fw_url text,
  tenure_id integer,
  registered_by_kind text not null,
  registered_by_id uuid not null,
  registered_at timestamp with time zone default clock_timestamp() not null,
  created_at timestamp with time zone default now() not null,
  claimed_at timestamp with time zone,
  activated_at timestamp with time zone,
  retired_at timestamp with time zone,
  desired_times jsonb default '{}'::jsonb not null,
  desired_at timestamp with time zone,
  constraint devices_pkey PRIMARY KEY (id),
  constraint attributes_are_small CHECK ((octet_length((attributes)::text) <= 16384)),
  constraint attributes_is_an_object CHECK ((jsonb_typeof(attributes) = 'object'::text)),
  constraint desired_is_an_object CHECK ((jsonb_typeof(desired) = 'object'::text)),
  constraint devices_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.profiles(id) ON DELETE SET NULL,
  constraint devices_maker_org_id_fkey FOREIGN KEY (maker_org_id) REFERENCES public.orgs(id),
  constraint devices_num_key UNIQUE (num),
  constraint devices_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint devices_org_id_location_id_fkey FOREIGN KEY (org_id, location_id) REFERENCES public.locations(org_id, id),
  constraint devices_product_type_fkey FOREIGN KEY (product_type) REFERENCES public.product_types(key),
  constraint devices_serial_key UNIQUE (serial),
  constraint devices_tenure_id_fkey FOREIGN KEY (tenure_id) REFERENCES public.device_tenures(id) DEFERRABLE INITIALLY DEFERRED,
  constraint fw_version_is_short CHECK ((length(fw_version) <= 64)),
  constraint lifecycle_is_known CHECK ((lifecycle = ANY (ARRAY['manufactured'::text, 'claimed'::text, 'active'::text, 'retired'::text]))),
  constraint name_is_valid CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 200))),
  constraint online_window_is_sane CHECK (((online_window_s >= 5) AND (online_window_s <= 2592000))),
  constraint retired_at_fits_lifecycle CHECK (((lifecycle = 'retired'::text) = (retired_at IS NOT NULL))),
  constraint serial_is_valid CHECK ((serial ~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$'::text))
);
alter table public.devices enable row level security;
CREATE INDEX devices_alive_org_id_idx ON public.devices USING btree (org_id) WHERE (lifecycle <> 'retired'::text);
CREATE INDEX devices_customer_id_idx ON public.devices USING btree (customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX devices_location_id_idx ON public.devices USING btree (org_id, location_id);
CREATE INDEX devices_maker_org_id_idx ON public.devices USING btree (maker_org_id);
CREATE INDEX devices_org_id_idx ON public.devices USING btree (org_id, serial);
CREATE INDEX devices_org_id_product_type_idx ON public.devices USING btree (org_id, product_type);
CREATE INDEX devices_product_type_idx ON public.devices USING btree (product_type);
CREATE INDEX devices_tags_idx ON public.devices USING gin (tags);
CREATE INDEX devices_tenure_id_idx ON public.devices USING btree (tenure_id);
create policy devices_select on public.devices for select to authenticated
  using ((org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) OR (id = ANY (ARRAY( SELECT private.my_device_ids() AS my_device_ids))));
CREATE TRIGGER devices_end_ota AFTER UPDATE OF org_id, customer_id, claimed_at, lifecycle ON public.devices FOR EACH ROW WHEN ((((new.lifecycle = 'retired'::text) AND (old.lifecycle <> 'retired'::text)) OR (((old.org_id IS DISTINCT FROM new.org_id) OR (old.customer_id IS DISTINCT FROM new.customer_id)) OR (old.claimed_at IS DISTINCT FROM new.claimed_at)))) EXECUTE FUNCTION private.end_ota_of_device();
CREATE TRIGGER devices_follow_firmware AFTER UPDATE ON public.devices REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.follow_firmware();
CREATE TRIGGER devices_stamp_desired BEFORE UPDATE OF desired ON public.devices FOR EACH ROW WHEN ((old.desired IS DISTINCT FROM new.desired)) EXECUTE FUNCTION private.stamp_desired();
grant select on public.devices to authenticated;
grant select on public.devices to service_role;
comment on column public.devices.num is 'Short key of the device in high-volume tables';
comment on column public.devices.org_id is 'Who keeps it now: the maker until claimed_at, then the holder';
comment on column public.devices.tenure_id is 'The open row of device_tenures';
comment on column public.devices.registered_at is 'By the wall clock, like its credentials'' created_at: created, or when a retired device was registered again';
comment on column public.devices.activated_at is 'Its first packet';
comment on column public.devices.desired_times is 'The form of desired; each leaf is the time of its last change';
comment on column public.devices.desired_at is 'Last change of desired';

create table public.firmware (
  id uuid default gen_random_uuid() not null,
  org_id uuid not null,
  product_type text not null,
  version text,
  notes text default ''::text not null,
  filename text not null,
  size bigint not null,
  sha256 text,
  signature text,
  chip text,
  project text,
  idf_version text,
  raw boolean default false not null,
  object_path text not null,
  state text default 'uploading'::text not null,
  refused_reason text,
  created_by_kind text not null,
  created_by_id uuid,
  created_by_label text,
  created_at timestamp with time zone default clock_timestamp() not null,
  ready_at timestamp with time zone,
  constraint firmware_pkey PRIMARY KEY (id),
  constraint filename_is_short CHECK (((length(filename) >= 1) AND (length(filename) <= 255))),
  constraint firmware_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint firmware_product_type_fkey FOREIGN KEY (product_type) REFERENCES public.product_types(key),
  constraint notes_are_short CHECK ((length(notes) <= 10000)),
  constraint ready_is_complete CHECK (((state <> 'ready'::text) OR (num_nonnulls(version, sha256, signature, ready_at) = 4))),
  constraint refused_has_a_reason CHECK (((state = 'refused'::text) = (refused_reason IS NOT NULL))),
  constraint sha256_is_hex CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
  constraint state_is_known CHECK ((state = ANY (ARRAY['uploading'::text, 'ready'::text, 'refused'::text, 'retired'::text]))),
  constraint version_is_valid CHECK (private.is_version(version))
);
alter table public.firmware enable row level security;
CREATE INDEX firmware_org_id_idx ON public.firmware USING btree (org_id, created_at DESC);
CREATE INDEX firmware_product_type_idx ON public.firmware USING btree (product_type);
CREATE UNIQUE INDEX firmware_versions_are_unique ON public.firmware USING btree (org_id, product_type, version) WHERE (state = ANY (ARRAY['uploading'::text, 'ready'::text]));
create policy firmware_select on public.firmware for select to authenticated
  using ((org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) OR ((state = 'ready'::text) AND (EXISTS ( SELECT
   FROM public.devices d
  WHERE ((d.org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) AND (d.product_type = firmware.product_type) AND (d.maker_org_id = firmware.org_id))))));
grant select on public.firmware to service_role;
grant select (id, org_id, product_type, version, notes, filename, size, sha256, signature, chip, project, idf_version, raw, object_path, state, refused_reason, created_by_kind, created_at, ready_at) on public.firmware to authenticated;
comment on column public.firmware.org_id is 'Who uploaded it: the maker of the devices that trust it';
comment on column public.firmware.version is 'Null while uploading = the image header says it; without a leading v';
comment on column public.firmware.signature is 'Base64 Ed25519 over sha256 (32 bytes) ‖ version ‖ product_type';
comment on column public.firmware.raw is 'Taken without looking for an ESP32 image header';
comment on column public.firmware.object_path is 'In the bucket firmware: org/product type/id.bin';

create table public.invitations (
  id uuid default gen_random_uuid() not null,
  org_id uuid,
  partner_id uuid,
  location_id uuid,
  role text not null,
  email text not null,
  token_sha256 bytea not null,
  invited_by uuid,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone default (now() + '7 days'::interval) not null,
  accepted_at timestamp with time zone,
  accepted_by uuid,
  membership_id uuid,
  revoked_at timestamp with time zone,
  sent_count integer default 1 not null,
  last_sent_at timestamp with time zone default now() not null,
  constraint invitations_pkey PRIMARY KEY (id),
  constraint email_is_lower_case CHECK (((email = lower(email)) AND (email ~ '^[^@\s]+@[^@\s]+$'::text) AND (length(email) <= 254))),
  constraint ends_once CHECK ((num_nonnulls(accepted_at, revoked_at) <= 1)),
  constraint invitations_accepted_by_fkey FOREIGN KEY (accepted_by) REFERENCES public.profiles(id) ON DELETE SET NULL,
  constraint invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES public.profiles(id) ON DELETE SET NULL,
  constraint invitations_membership_id_fkey FOREIGN KEY (membership_id) REFERENCES public.memberships(id) ON DELETE SET NULL,
  constraint invitations_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint invitations_org_id_location_id_fkey FOREIGN KEY (org_id, location_id) REFERENCES public.locations(org_id, id) ON DELETE CASCADE,
  constraint invitations_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partners(id),
  constraint invitations_token_sha256_key UNIQUE (token_sha256),
  constraint scope_fits_role CHECK (
CASE role
    WHEN 'partner'::text THEN ((partner_id IS NOT NULL) AND (num_nonnulls(org_id, location_id) = 0))
    WHEN 'tenant'::text THEN ((partner_id IS NULL) AND (num_nonnulls(org_id, location_id) = 2))
    ELSE ((role = ANY (ARRAY['org_admin'::text, 'operator'::text, 'viewer'::text, 'customer'::text])) AND (org_id IS NOT NULL) AND (num_nonnulls(partner_id, location_id) = 0))
END),
  constraint token_sha256_is_a_sha256 CHECK ((length(token_sha256) = 32))
);
alter table public.invitations enable row level security;
CREATE INDEX invitations_accepted_by_idx ON public.invitations USING btree (accepted_by);
CREATE UNIQUE INDEX invitations_are_open_once ON public.invitations USING btree (org_id, partner_id, location_id, role, email) NULLS NOT DISTINCT WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));
CREATE INDEX invitations_invited_by_idx ON public.invitations USING btree (invited_by);
CREATE INDEX invitations_membership_id_idx ON public.invitations USING btree (membership_id);
CREATE INDEX invitations_org_id_idx ON public.invitations USING btree (org_id, location_id);
CREATE INDEX invitations_partner_id_idx ON public.invitations USING btree (partner_id);
create policy invitations_select on public.invitations for select to authenticated
  using ((org_id = ANY (ARRAY( SELECT private.my_managed_org_ids() AS my_managed_org_ids))) OR (partner_id = ANY (ARRAY( SELECT private.my_partner_ids() AS my_partner_ids))));
grant select (id, org_id, partner_id, location_id, role, email, invited_by, created_at, expires_at, accepted_at, accepted_by, membership_id, revoked_at, sent_count, last_sent_at) on public.invitations to authenticated;
grant select (id, org_id, partner_id, location_id, role, email, invited_by, created_at, expires_at, accepted_at, accepted_by, membership_id, revoked_at, sent_count, last_sent_at) on public.invitations to service_role;

create table public.locations (
  id uuid default gen_random_uuid() not null,
  num integer generated always as identity not null,
  org_id uuid not null,
  parent_id uuid,
  type text not null,
  name text not null,
  timezone text,
  created_at timestamp with time zone default now() not null,
  constraint locations_pkey PRIMARY KEY (id),
  constraint locations_num_key UNIQUE (num),
  constraint locations_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint locations_org_id_id_key UNIQUE (org_id, id),
  constraint locations_org_id_parent_id_fkey FOREIGN KEY (org_id, parent_id) REFERENCES public.locations(org_id, id),
  constraint name_is_valid CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 200))),
  constraint site_has_no_parent CHECK (((type <> 'site'::text) OR (parent_id IS NULL))),
  constraint type_is_known CHECK ((type = ANY (ARRAY['site'::text, 'building'::text, 'floor'::text, 'room'::text])))
);
alter table public.locations enable row level security;
CREATE UNIQUE INDEX locations_name_is_unique_among_siblings ON public.locations USING btree (org_id, parent_id, type, lower(name)) NULLS NOT DISTINCT;
create policy locations_select on public.locations for select to authenticated
  using ((org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) OR (id = ANY (ARRAY( SELECT private.my_location_ids() AS my_location_ids))));
CREATE TRIGGER locations_are_ordered BEFORE INSERT OR UPDATE OF parent_id ON public.locations FOR EACH ROW EXECUTE FUNCTION private.check_location_order();
grant select on public.locations to authenticated;
grant select on public.locations to service_role;
comment on table public.locations is 'Site → building → floor → room, levels may be left out';

create table public.memberships (
  id uuid default gen_random_uuid() not null,
  user_id uuid not null,
  role text not null,
  partner_id uuid,
  org_id uuid,
  location_id uuid,
  created_at timestamp with time zone default now() not null,
  ended_at timestamp with time zone,
  constraint memberships_pkey PRIMARY KEY (id),
  constraint memberships_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint memberships_org_id_location_id_fkey FOREIGN KEY (org_id, location_id) REFERENCES public.locations(org_id, id),
  constraint memberships_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partners(id),
  constraint memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.profiles(id) ON DELETE CASCADE,
  constraint role_is_known CHECK ((role = ANY (ARRAY['admin'::text, 'partner'::text, 'org_admin'::text, 'operator'::text, 'viewer'::text, 'customer'::text, 'tenant'::text]))),
  constraint scope_fits_role CHECK (
CASE role
    WHEN 'admin'::text THEN (num_nonnulls(partner_id, org_id, location_id) = 0)
    WHEN 'partner'::text THEN ((partner_id IS NOT NULL) AND (num_nonnulls(org_id, location_id) = 0))
    WHEN 'tenant'::text THEN ((partner_id IS NULL) AND (num_nonnulls(org_id, location_id) = 2))
    ELSE ((org_id IS NOT NULL) AND (num_nonnulls(partner_id, location_id) = 0))
END)
);
alter table public.memberships enable row level security;
CREATE UNIQUE INDEX memberships_are_unique_while_active ON public.memberships USING btree (user_id, role, partner_id, org_id, location_id) NULLS NOT DISTINCT WHERE (ended_at IS NULL);
CREATE INDEX memberships_org_id_idx ON public.memberships USING btree (org_id, location_id);
CREATE INDEX memberships_partner_id_idx ON public.memberships USING btree (partner_id);
CREATE INDEX memberships_user_id_idx ON public.memberships USING btree (user_id);
create policy memberships_select on public.memberships for select to authenticated
  using ((user_id = ( SELECT private.my_user_id() AS my_user_id)) OR (org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) OR (partner_id = ANY (ARRAY( SELECT private.my_partner_ids() AS my_partner_ids))) OR ( SELECT private.is_admin() AS is_admin));
CREATE TRIGGER memberships_are_followed AFTER INSERT OR DELETE OR UPDATE ON public.memberships FOR EACH ROW EXECUTE FUNCTION private.follow_membership();
grant select on public.memberships to authenticated;
grant select on public.memberships to service_role;
comment on column public.memberships.ended_at is 'Access ends here at once; the row stays as history';

create table public.metric_definitions (
  product_type text not null,
  key text not null,
  label text not null,
  unit text default ''::text not null,
  decimals integer default 0 not null,
  min_value double precision,
  max_value double precision,
  watched boolean default false not null,
  min_deviation double precision,
  min_denominator double precision,
  sort integer default 100 not null,
  chart boolean default true not null,
  constraint metric_definitions_pkey PRIMARY KEY (product_type, key),
  constraint decimals_are_sane CHECK (((decimals >= 0) AND (decimals <= 9))),
  constraint key_is_valid CHECK ((key ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'::text)),
  constraint metric_definitions_product_type_fkey FOREIGN KEY (product_type) REFERENCES public.product_types(key) ON DELETE CASCADE,
  constraint range_is_ordered CHECK ((min_value < max_value)),
  constraint watched_metrics_have_floors CHECK (((NOT watched) OR ((key = ANY (ARRAY['temp'::text, 'hum'::text, 'co2'::text, 'bat'::text])) AND (min_deviation > (0)::double precision) AND (min_denominator > (0)::double precision))))
);
alter table public.metric_definitions enable row level security;
create policy metric_definitions_select on public.metric_definitions for select to authenticated
  using (product_type = ANY (ARRAY( SELECT private.my_product_types() AS my_product_types)));
grant select on public.metric_definitions to authenticated;
grant select on public.metric_definitions to service_role;
comment on column public.metric_definitions.watched is 'Compared with its own last 29 readings at ingest';
comment on column public.metric_definitions.min_deviation is 'Smaller absolute deviations are never reported (metric''s unit)';
comment on column public.metric_definitions.min_denominator is 'Floor of |mean| in the percentage (metric''s unit)';

create table public.notifications (
  id uuid default gen_random_uuid() not null,
  org_id uuid not null,
  kind text not null,
  severity text not null,
  title text not null,
  body text default ''::text not null,
  link text,
  subject jsonb default '{}'::jsonb not null,
  group_key text,
  times integer default 1 not null,
  first_at timestamp with time zone default clock_timestamp() not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  constraint notifications_pkey PRIMARY KEY (id),
  constraint body_is_short CHECK ((length(body) <= 2000)),
  constraint kind_is_valid CHECK ((kind ~ '^[a-z][a-z0-9_]{0,39}$'::text)),
  constraint link_stays_here CHECK ((link ~ '^/([^/\\].*)?$'::text)),
  constraint notifications_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id) ON DELETE CASCADE,
  constraint severity_is_known CHECK ((severity = ANY (ARRAY['info'::text, 'warn'::text, 'bad'::text]))),
  constraint subject_is_an_object CHECK ((jsonb_typeof(subject) = 'object'::text)),
  constraint title_is_valid CHECK (((length(btrim(title)) >= 1) AND (length(btrim(title)) <= 200)))
);
alter table public.notifications enable row level security;
CREATE INDEX notifications_group_idx ON public.notifications USING btree (org_id, group_key, created_at DESC) WHERE (group_key IS NOT NULL);
CREATE INDEX notifications_org_id_idx ON public.notifications USING btree (org_id, created_at DESC, id DESC);
create policy notifications_select on public.notifications for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_bell_org_ids() AS my_bell_org_ids)));
grant select on public.notifications to authenticated;
grant select on public.notifications to service_role;
comment on column public.notifications.link is 'Path in the web app';
comment on column public.notifications.subject is 'What it is about: {device?: serial, job?: uuid, firmware?: uuid, …}';
comment on column public.notifications.times is 'How often the same came within a day, first at first_at, last at created_at';

create table public.orgs (
  id uuid default gen_random_uuid() not null,
  num integer generated always as identity not null,
  partner_id uuid,
  name text not null,
  slug text not null,
  plan text default 'starter'::text not null,
  product text,
  timezone text default 'UTC'::text not null,
  brand jsonb default '{}'::jsonb not null,
  live_epoch integer default 1 not null,
  created_at timestamp with time zone default now() not null,
  constraint orgs_pkey PRIMARY KEY (id),
  constraint brand_is_an_object CHECK ((jsonb_typeof(brand) = 'object'::text)),
  constraint name_is_valid CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 200))),
  constraint orgs_num_key UNIQUE (num),
  constraint orgs_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partners(id),
  constraint orgs_product_fkey FOREIGN KEY (product) REFERENCES public.product_types(key),
  constraint orgs_slug_key UNIQUE (slug),
  constraint plan_is_known CHECK ((plan = ANY (ARRAY['starter'::text, 'pro'::text, 'business'::text, 'enterprise'::text]))),
  constraint slug_is_valid CHECK ((slug ~ '^[a-z0-9](-?[a-z0-9]){0,62}$'::text))
);
alter table public.orgs enable row level security;
CREATE INDEX orgs_partner_id_idx ON public.orgs USING btree (partner_id);
CREATE INDEX orgs_product_idx ON public.orgs USING btree (product);
create policy orgs_select on public.orgs for select to authenticated
  using ((id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids))) OR (id = ANY (ARRAY( SELECT private.my_portal_org_ids() AS my_portal_org_ids))));
CREATE TRIGGER orgs_end_leases AFTER UPDATE OF live_epoch ON public.orgs FOR EACH ROW WHEN ((old.live_epoch IS DISTINCT FROM new.live_epoch)) EXECUTE FUNCTION private.end_leases();
grant select on public.orgs to authenticated;
grant select on public.orgs to service_role;
comment on column public.orgs.num is 'Short key of the org in high-volume tables';
comment on column public.orgs.live_epoch is 'Part of every live topic; raised when somebody loses access';

create table public.ota_events (
  id bigint generated always as identity not null,
  job_id uuid not null,
  job_device_id bigint,
  org_id uuid not null,
  serial text,
  at timestamp with time zone default clock_timestamp() not null,
  state text not null,
  detail jsonb default '{}'::jsonb not null,
  constraint ota_events_pkey PRIMARY KEY (id),
  constraint ota_events_job_device_id_fkey FOREIGN KEY (job_device_id) REFERENCES public.ota_job_devices(id) ON DELETE CASCADE
);
alter table public.ota_events enable row level security;
CREATE INDEX ota_events_job_device_id_idx ON public.ota_events USING btree (job_device_id, id) WHERE (job_device_id IS NOT NULL);
CREATE INDEX ota_events_job_id_idx ON public.ota_events USING btree (job_id, id) WHERE (job_device_id IS NULL);
create policy ota_events_select on public.ota_events for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids)));
grant select on public.ota_events to authenticated;
grant select on public.ota_events to service_role;
comment on table public.ota_events is 'What happened to each device of a job; without job_device_id, to the job';

create table public.ota_job_devices (
  id bigint generated always as identity not null,
  job_id uuid not null,
  device_id uuid not null,
  device_num integer not null,
  serial text not null,
  org_id uuid not null,
  stage integer not null,
  "position" integer not null,
  state text default 'queued'::text not null,
  percent integer,
  reason text,
  from_version text,
  attempt integer default 1 not null,
  released boolean default false not null,
  zone text not null,
  not_before timestamp with time zone,
  queued_at timestamp with time zone default clock_timestamp() not null,
  sent_at timestamp with time zone,
  sends integer default 0 not null,
  outbox_id bigint,
  changed_at timestamp with time zone default clock_timestamp() not null,
  old_seen_at timestamp with time zone,
  timeout_at timestamp with time zone,
  finished_at timestamp with time zone,
  constraint ota_job_devices_pkey PRIMARY KEY (id),
  constraint ota_job_devices_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE,
  constraint ota_job_devices_job_id_device_id_key UNIQUE (job_id, device_id),
  constraint ota_job_devices_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.ota_jobs(id),
  constraint percent_is_sane CHECK (((percent >= 0) AND (percent <= 100))),
  constraint state_is_known CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'downloading'::text, 'installing'::text, 'rebooting'::text, 'succeeded'::text, 'failed'::text, 'rolled_back'::text, 'timed_out'::text, 'rejected'::text, 'cancelled'::text])))
) with (fillfactor=70);
alter table public.ota_job_devices enable row level security;
CREATE UNIQUE INDEX ota_job_devices_are_open_once_per_device ON public.ota_job_devices USING btree (device_num) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text, 'downloading'::text, 'installing'::text, 'rebooting'::text]));
CREATE INDEX ota_job_devices_device_id_idx ON public.ota_job_devices USING btree (device_id, queued_at DESC);
CREATE INDEX ota_job_devices_open_idx ON public.ota_job_devices USING btree (job_id) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text, 'downloading'::text, 'installing'::text, 'rebooting'::text]));
CREATE INDEX ota_job_devices_org_id_idx ON public.ota_job_devices USING btree (org_id);
CREATE INDEX ota_job_devices_stage_idx ON public.ota_job_devices USING btree (job_id, stage, "position");
create policy ota_job_devices_select on public.ota_job_devices for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids)));
grant select on public.ota_job_devices to authenticated;
grant select on public.ota_job_devices to service_role;
comment on table public.ota_job_devices is 'Executions: what an update job means for one device';
comment on column public.ota_job_devices.attempt is 'Counts retries; a device does each (job, attempt) once';
comment on column public.ota_job_devices.released is 'Its stage has begun';
comment on column public.ota_job_devices.zone is 'Of its room or org when the job was made';
comment on column public.ota_job_devices.queued_at is 'When this attempt began to wait';
comment on column public.ota_job_devices.sent_at is 'The broker acknowledged it, or the HTTPS door handed it out; the last time';
comment on column public.ota_job_devices.outbox_id is 'Its message on the way to the broker';
comment on column public.ota_job_devices.old_seen_at is 'A packet with another version after it said it restarts';

create table public.ota_jobs (
  id uuid default gen_random_uuid() not null,
  org_id uuid not null,
  number integer not null,
  firmware_id uuid not null,
  product_type text not null,
  version text not null,
  name text,
  target jsonb not null,
  stages jsonb not null,
  stage integer default 0 not null,
  soaking_since timestamp with time zone,
  failure_pct integer not null,
  failure_min integer,
  timeout_s integer not null,
  force boolean not null,
  job_window jsonb,
  starts_at timestamp with time zone,
  state text not null,
  abort_reason jsonb,
  single boolean default false not null,
  created_by_kind text not null,
  created_by_id uuid,
  created_by_label text,
  created_at timestamp with time zone default clock_timestamp() not null,
  started_at timestamp with time zone,
  counting_since timestamp with time zone,
  finished_at timestamp with time zone,
  constraint ota_jobs_pkey PRIMARY KEY (id),
  constraint name_is_valid CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 200))),
  constraint ota_jobs_firmware_id_fkey FOREIGN KEY (firmware_id) REFERENCES public.firmware(id),
  constraint ota_jobs_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint ota_jobs_org_id_number_key UNIQUE (org_id, number),
  constraint state_is_known CHECK ((state = ANY (ARRAY['scheduled'::text, 'running'::text, 'paused'::text, 'aborted'::text, 'completed'::text])))
);
alter table public.ota_jobs enable row level security;
CREATE INDEX ota_jobs_firmware_id_idx ON public.ota_jobs USING btree (firmware_id);
CREATE INDEX ota_jobs_open_idx ON public.ota_jobs USING btree (id) WHERE (state = ANY (ARRAY['scheduled'::text, 'running'::text, 'paused'::text, 'aborted'::text]));
create policy ota_jobs_select on public.ota_jobs for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids)));
grant select on public.ota_jobs to authenticated;
grant select on public.ota_jobs to service_role;
comment on column public.ota_jobs.number is 'Counts per org';
comment on column public.ota_jobs.target is 'As it was asked; the devices are in ota_job_devices';
comment on column public.ota_jobs.stages is '[{count | percent | serials, soak_s, devices}], in their order';
comment on column public.ota_jobs.stage is 'The one that runs, from 0';
comment on column public.ota_jobs.failure_min is 'Fewer failures never abort; null = 1 in a first stage of up to 10, else 3';
comment on column public.ota_jobs.job_window is '{start, end: HH:MM, days?: [mon…]} in the zone of each device';
comment on column public.ota_jobs.abort_reason is '{kind: failure_threshold | no_success | by_hand, …numbers}';
comment on column public.ota_jobs.counting_since is 'Failures from before a retry do not abort again';

create table public.partners (
  id uuid default gen_random_uuid() not null,
  name text not null,
  slug text not null,
  contact_email text,
  plan text default 'starter'::text not null,
  created_at timestamp with time zone default now() not null,
  constraint partners_pkey PRIMARY KEY (id),
  constraint contact_email_is_valid CHECK ((contact_email ~ '^[^@\s]+@[^@\s]+$'::text)),
  constraint name_is_valid CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 200))),
  constraint partners_slug_key UNIQUE (slug),
  constraint plan_is_known CHECK ((plan = ANY (ARRAY['starter'::text, 'pro'::text, 'business'::text, 'enterprise'::text]))),
  constraint slug_is_valid CHECK ((slug ~ '^[a-z0-9](-?[a-z0-9]){0,62}$'::text))
);
alter table public.partners enable row level security;
create policy partners_select on public.partners for select to authenticated
  using (id = ANY (ARRAY( SELECT private.my_partner_ids() AS my_partner_ids)));
grant select on public.partners to authenticated;
grant select on public.partners to service_role;

create table public.plan_limits (
  plan text not null,
  max_devices integer,
  max_users integer,
  max_orgs integer,
  constraint plan_limits_pkey PRIMARY KEY (plan),
  constraint limits_are_positive CHECK ((LEAST(max_devices, max_users, max_orgs) > 0)),
  constraint plan_is_known CHECK ((plan = ANY (ARRAY['starter'::text, 'pro'::text, 'business'::text, 'enterprise'::text])))
);
alter table public.plan_limits enable row level security;
create policy plan_limits_select on public.plan_limits for select to authenticated
  using true;
grant select on public.plan_limits to authenticated;
grant select on public.plan_limits to service_role;
comment on column public.plan_limits.max_devices is 'Of an org; retired ones do not count';
comment on column public.plan_limits.max_users is 'Org admins, operators and viewers of an org; customers and tenants do not count';
comment on column public.plan_limits.max_orgs is 'Of a partner';

create table public.product_type_keys (
  product_type text not null,
  maker_org_id uuid not null,
  public_key text not null,
  secret_id uuid not null,
  created_at timestamp with time zone default now() not null,
  constraint product_type_keys_pkey PRIMARY KEY (product_type, maker_org_id),
  constraint product_type_keys_maker_org_id_fkey FOREIGN KEY (maker_org_id) REFERENCES public.orgs(id),
  constraint product_type_keys_product_type_fkey FOREIGN KEY (product_type) REFERENCES public.product_types(key) ON DELETE CASCADE
);
alter table public.product_type_keys enable row level security;
CREATE INDEX product_type_keys_maker_org_id_idx ON public.product_type_keys USING btree (maker_org_id);
create policy product_type_keys_select on public.product_type_keys for select to authenticated
  using (maker_org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids)));
grant select (product_type, maker_org_id, public_key, created_at) on public.product_type_keys to authenticated;
grant select (product_type, maker_org_id, public_key, created_at) on public.product_type_keys to service_role;
comment on column public.product_type_keys.public_key is 'Ed25519, as the API encodes it';
comment on column public.product_type_keys.secret_id is 'The private key in Vault';

create table public.product_types (
  key text not null,
  name text not null,
  maker_org_id uuid,
  online_window_s integer default 300 not null,
  telemetry_interval_s integer default 5 not null,
  controllable_keys text[] default '{}'::text[] not null,
  ota_public_key text,
  created_at timestamp with time zone default now() not null,
  chip text,
  health jsonb default '{"gps": {"good_sats": 5, "slow_ttff_s": 60, "very_good_sats": 8}, "heap": {"bad_bytes": 20000, "warn_bytes": 40000, "leak_bytes_per_h": 200}, "loss": {"bad_pct": 5, "warn_pct": 1}, "clock": {"bad_ms": 60000, "warn_ms": 2000}, "signal": {"bars": [-88, -78, -68, -58], "radio": "wifi", "bad_dbm": -88, "warn_dbm": -78}, "battery": {"curve": [[3.3, 0], [3.58, 10], [3.67, 20], [3.72, 30], [3.76, 40], [3.8, 50], [3.86, 60], [3.93, 70], [4.01, 80], [4.1, 90], [4.2, 100]], "full_v": 4.2, "alert_v": 3.5, "empty_v": 3.3, "warn_pct": 30, "warn_days": 7}, "restarts": {"bad_crashes": 3, "warn_crashes": 1}}'::jsonb not null,
  constraint product_types_pkey PRIMARY KEY (key),
  constraint chip_is_valid CHECK ((chip ~ '^[a-z0-9]{1,16}$'::text)),
  constraint health_is_an_object CHECK ((jsonb_typeof(health) = 'object'::text)),
  constraint key_is_valid CHECK ((key ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'::text)),
  constraint online_window_is_sane CHECK (((online_window_s >= 5) AND (online_window_s <= 2592000))),
  constraint product_types_maker_org_id_fkey FOREIGN KEY (maker_org_id) REFERENCES public.orgs(id),
  constraint telemetry_interval_is_sane CHECK (((telemetry_interval_s >= 1) AND (telemetry_interval_s <= 86400)))
);
alter table public.product_types enable row level security;
CREATE INDEX product_types_maker_org_id_idx ON public.product_types USING btree (maker_org_id);
create policy product_types_select on public.product_types for select to authenticated
  using (key = ANY (ARRAY( SELECT private.my_product_types() AS my_product_types)));
grant select on public.product_types to authenticated;
grant select on public.product_types to service_role;
comment on column public.product_types.maker_org_id is 'Null = everybody may register devices of it';
comment on column public.product_types.online_window_s is 'Seconds of silence after which a device counts as offline';
comment on column public.product_types.controllable_keys is 'Desired keys a customer may set';
comment on column public.product_types.ota_public_key is 'Ed25519 public key firmware of this type is signed with, base64';
comment on column public.product_types.chip is 'Images for another chip are refused; null = any. As esp32, esp32s3';
comment on column public.product_types.health is 'Thresholds of the diagnostics: battery, signal, heap, clock, loss, restarts, gps';

create table public.profiles (
  id uuid not null,
  email text,
  full_name text,
  preferences jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint profiles_pkey PRIMARY KEY (id),
  constraint preferences_is_an_object CHECK ((jsonb_typeof(preferences) = 'object'::text)),
  constraint profiles_id_fkey FOREIGN KEY (id) REFERENCES auth.users(id) ON DELETE CASCADE
);
alter table public.profiles enable row level security;
create policy profiles_select on public.profiles for select to authenticated
  using ((id = ( SELECT private.my_user_id() AS my_user_id)) OR (id = ANY (ARRAY( SELECT private.my_people_ids() AS my_people_ids))));
CREATE TRIGGER profiles_end_memberships BEFORE DELETE ON public.profiles FOR EACH ROW EXECUTE FUNCTION private.end_memberships();
grant select on public.profiles to authenticated;
grant select on public.profiles to service_role;
comment on table public.profiles is 'Made by ec.ensure_profile() at a person''s first request';

create table public.provisioning_keys (
  id uuid default gen_random_uuid() not null,
  org_id uuid not null,
  product_type text not null,
  name text not null,
  mode text default 'known'::text not null,
  serial_prefix text,
  max_count integer,
  used_count integer default 0 not null,
  prefix text not null,
  key_sha256 bytea not null,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint provisioning_keys_pkey PRIMARY KEY (id),
  constraint key_sha256_is_a_sha256 CHECK ((length(key_sha256) = 32)),
  constraint max_count_is_positive CHECK ((max_count > 0)),
  constraint mode_is_known CHECK ((mode = ANY (ARRAY['known'::text, 'new'::text]))),
  constraint name_is_valid CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 200))),
  constraint new_serials_are_bounded CHECK (((mode <> 'new'::text) OR (num_nonnulls(serial_prefix, max_count, expires_at) = 3))),
  constraint prefix_is_short CHECK (((length(prefix) >= 8) AND (length(prefix) <= 24))),
  constraint provisioning_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.profiles(id) ON DELETE SET NULL,
  constraint provisioning_keys_key_sha256_key UNIQUE (key_sha256),
  constraint provisioning_keys_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id),
  constraint provisioning_keys_product_type_fkey FOREIGN KEY (product_type) REFERENCES public.product_types(key),
  constraint serial_prefix_is_valid CHECK ((serial_prefix ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'::text)),
  constraint used_count_fits CHECK (((used_count >= 0) AND (used_count <= COALESCE(max_count, used_count))))
);
alter table public.provisioning_keys enable row level security;
CREATE INDEX provisioning_keys_created_by_idx ON public.provisioning_keys USING btree (created_by);
CREATE INDEX provisioning_keys_org_id_idx ON public.provisioning_keys USING btree (org_id);
CREATE INDEX provisioning_keys_product_type_idx ON public.provisioning_keys USING btree (product_type);
create policy provisioning_keys_select on public.provisioning_keys for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_managed_org_ids() AS my_managed_org_ids)));
grant select (id, org_id, product_type, name, mode, serial_prefix, max_count, used_count, prefix, created_by, created_at, expires_at, last_used_at, revoked_at) on public.provisioning_keys to authenticated;
grant select (id, org_id, product_type, name, mode, serial_prefix, max_count, used_count, prefix, created_by, created_at, expires_at, last_used_at, revoked_at) on public.provisioning_keys to service_role;
comment on column public.provisioning_keys.mode is 'known = only serials the org registered before; new = also new ones within prefix, count and expiry';

create table public.rollups_15m (
  device_num integer not null,
  bucket timestamp with time zone not null,
  tenure_id integer not null,
  org_num integer not null,
  keys text[] not null,
  counts integer[] not null,
  mins double precision[] not null,
  maxs double precision[] not null,
  sums double precision[] not null,
  constraint rollups_15m_pkey PRIMARY KEY (device_num, bucket, tenure_id)
) partition by RANGE (bucket);
alter table public.rollups_15m enable row level security;
create policy rollups_15m_select on public.rollups_15m for select to authenticated
  using ((org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums))) OR (tenure_id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.rollups_15m to authenticated;
grant select on public.rollups_15m to service_role;

create table public.rollups_1d (
  device_num integer not null,
  bucket timestamp with time zone not null,
  tenure_id integer not null,
  org_num integer not null,
  keys text[] not null,
  counts integer[] not null,
  mins double precision[] not null,
  maxs double precision[] not null,
  sums double precision[] not null,
  constraint rollups_1d_pkey PRIMARY KEY (device_num, bucket, tenure_id)
);
alter table public.rollups_1d enable row level security;
create policy rollups_1d_select on public.rollups_1d for select to authenticated
  using ((org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums))) OR (tenure_id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.rollups_1d to authenticated;
grant select on public.rollups_1d to service_role;
comment on table public.rollups_1d is 'bucket = the start of the day in the time zone of the org that held the device';

create table public.rollups_1h (
  device_num integer not null,
  bucket timestamp with time zone not null,
  tenure_id integer not null,
  org_num integer not null,
  keys text[] not null,
  counts integer[] not null,
  mins double precision[] not null,
  maxs double precision[] not null,
  sums double precision[] not null,
  constraint rollups_1h_pkey PRIMARY KEY (device_num, bucket, tenure_id)
);
alter table public.rollups_1h enable row level security;
create policy rollups_1h_select on public.rollups_1h for select to authenticated
  using ((org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums))) OR (tenure_id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.rollups_1h to authenticated;
grant select on public.rollups_1h to service_role;

create table public.rollups_1m (
  device_num integer not null,
  bucket timestamp with time zone not null,
  tenure_id integer not null,
  org_num integer not null,
  keys text[] not null,
  counts integer[] not null,
  mins double precision[] not null,
  maxs double precision[] not null,
  sums double precision[] not null,
  constraint rollups_1m_pkey PRIMARY KEY (device_num, bucket, tenure_id)
) partition by RANGE (bucket);
alter table public.rollups_1m enable row level security;
create policy rollups_1m_select on public.rollups_1m for select to authenticated
  using ((org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums))) OR (tenure_id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.rollups_1m to authenticated;
grant select on public.rollups_1m to service_role;

create table public.rollups_5m (
  device_num integer not null,
  bucket timestamp with time zone not null,
  tenure_id integer not null,
  org_num integer not null,
  keys text[] not null,
  counts integer[] not null,
  mins double precision[] not null,
  maxs double precision[] not null,
  sums double precision[] not null,
  constraint rollups_5m_pkey PRIMARY KEY (device_num, bucket, tenure_id)
) partition by RANGE (bucket);
alter table public.rollups_5m enable row level security;
create policy rollups_5m_select on public.rollups_5m for select to authenticated
  using ((org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums))) OR (tenure_id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.rollups_5m to authenticated;
grant select on public.rollups_5m to service_role;

create table public.room_codes (
  id uuid default gen_random_uuid() not null,
  org_id uuid not null,
  location_id uuid not null,
  version integer not null,
  code_sha256 bytea not null,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  ended_reason text,
  constraint room_codes_pkey PRIMARY KEY (id),
  constraint code_sha256_is_a_sha256 CHECK ((length(code_sha256) = 32)),
  constraint ended_codes_have_a_reason CHECK (((ended_reason IS NULL) = (revoked_at IS NULL))),
  constraint ended_reason_is_known CHECK ((ended_reason = ANY (ARRAY['rotated'::text, 'revoked'::text]))),
  constraint room_codes_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.profiles(id) ON DELETE SET NULL,
  constraint room_codes_location_id_version_key UNIQUE (location_id, version),
  constraint room_codes_org_id_location_id_fkey FOREIGN KEY (org_id, location_id) REFERENCES public.locations(org_id, id) ON DELETE CASCADE
);
alter table public.room_codes enable row level security;
CREATE UNIQUE INDEX room_codes_are_live_once_per_room ON public.room_codes USING btree (location_id) WHERE (revoked_at IS NULL);
CREATE INDEX room_codes_created_by_idx ON public.room_codes USING btree (created_by);
CREATE INDEX room_codes_org_id_idx ON public.room_codes USING btree (org_id, location_id);
create policy room_codes_select on public.room_codes for select to authenticated
  using (org_id = ANY (ARRAY( SELECT private.my_managed_org_ids() AS my_managed_org_ids)));
grant select (id, org_id, location_id, version, created_by, created_at, expires_at, revoked_at, ended_reason) on public.room_codes to authenticated;
grant select (id, org_id, location_id, version, created_by, created_at, expires_at, revoked_at, ended_reason) on public.room_codes to service_role;
comment on column public.room_codes.version is 'Counts the codes a room has had';

create table public.serial_prefixes (
  prefix text not null,
  maker_org_id uuid not null,
  created_at timestamp with time zone default now() not null,
  constraint serial_prefixes_pkey PRIMARY KEY (prefix),
  constraint prefix_is_valid CHECK ((prefix ~ '^[A-Za-z0-9][A-Za-z0-9_-]{1,62}$'::text)),
  constraint serial_prefixes_maker_org_id_fkey FOREIGN KEY (maker_org_id) REFERENCES public.orgs(id)
);
alter table public.serial_prefixes enable row level security;
CREATE INDEX serial_prefixes_maker_org_id_idx ON public.serial_prefixes USING btree (maker_org_id);
create policy serial_prefixes_select on public.serial_prefixes for select to authenticated
  using (maker_org_id = ANY (ARRAY( SELECT private.my_org_ids() AS my_org_ids)));
grant select on public.serial_prefixes to authenticated;
grant select on public.serial_prefixes to service_role;
comment on table public.serial_prefixes is 'Only the maker registers new serials that start so';

create table public.telemetry (
  device_num integer not null,
  ts timestamp with time zone not null,
  received_at timestamp with time zone default now() not null,
  org_num integer not null,
  tenure_id integer not null,
  seq bigint,
  data jsonb not null,
  constraint telemetry_pkey PRIMARY KEY (device_num, ts)
) partition by RANGE (ts);
alter table public.telemetry enable row level security;
create policy telemetry_select on public.telemetry for select to authenticated
  using ((org_num = ANY (ARRAY( SELECT private.my_org_nums() AS my_org_nums))) OR (tenure_id = ANY (ARRAY( SELECT private.my_tenure_ids() AS my_tenure_ids))));
grant select on public.telemetry to authenticated;
grant select on public.telemetry to service_role;
comment on table public.telemetry is 'Raw readings; daily partitions by UTC day live in schema ec';
comment on column public.telemetry.ts is 'Device time, or the arrival in microseconds when the packet carries none';

-- Policies on tables of Supabase

create policy ec_live_select on realtime.messages for select to authenticated
  using ((extension = 'broadcast'::text) AND ( SELECT private.can_join_topic(( SELECT realtime.topic() AS topic)) AS can_join_topic));

-- Views

create view ec.mqtt_credentials as
 SELECT c.serial,
    c.password_hash,
    c.salt,
    encode(decode(split_part(c.password_hash, '$'::text, 5), 'base64'::text), 'hex'::text) AS password_hash_hex,
    c.expires_at,
    c.id AS credential_id,
    c.created_at
   FROM (public.device_credentials c
     JOIN public.devices d ON ((d.id = c.device_id)))
  WHERE ((d.lifecycle <> 'retired'::text) AND (c.revoked_at IS NULL) AND ((c.expires_at IS NULL) OR (c.expires_at > now())));
grant select on ec.mqtt_credentials to ec_broker;

-- Functions

CREATE OR REPLACE FUNCTION ec.abandon_uploads(org_id uuid, at timestamp with time zone DEFAULT clock_timestamp())
 RETURNS text[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  update public.firmware f set state = 'refused', refused_reason = 'abandoned'
  where f.org_id = abandon_uploads.org_id and f.state = 'uploading' and f.created_at < at - interval '3 hours';
  return array(
    select f.object_path
    from public.firmware f join storage.objects o on o.bucket_id = 'firmware' and o.name = f.object_path
    where f.org_id = abandon_uploads.org_id and f.state = 'refused' and f.created_at < at - interval '3 hours'
    order by f.created_at limit 20
  );
end
$function$;
grant execute on function ec.abandon_uploads(uuid,timestamp with time zone) to ec_api;
comment on function ec.abandon_uploads(uuid,timestamp with time zone) is 'The API alone, when somebody uploads: ends what was begun three hours ago → paths of files nobody needs';

CREATE OR REPLACE FUNCTION ec.abort_ota_job(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  job public.ota_jobs := private.lock_job(job_id, '{scheduled,running,paused}');
begin
  perform from public.ota_job_devices e where e.job_id = job.id and e.state = 'queued' order by e.id for update;
  job := private.abort_job(job, jsonb_build_object('kind', 'by_hand', 'by', private.actor_label()));
  perform private.audit_job(job, 'ota_job_aborted');
  job := private.advance_job(job, clock_timestamp());
  return private.ota_job_and_failures(job);
end
$function$;
grant execute on function ec.abort_ota_job(uuid) to authenticated;
comment on function ec.abort_ota_job(uuid) is 'Action ota: what waits is cancelled, what runs goes on → the job. EC403, EC404, EC409 {state}';

CREATE OR REPLACE FUNCTION ec.accept_invitation(token_sha256 bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me uuid := private.my_user_id();
  invitation public.invitations;
  membership uuid;
begin
  if me is null then
    perform private.refuse('EC403', 'forbidden', 'A person accepts an invitation: sign in.');
  end if;
  perform ec.ensure_profile();
  select i.* into invitation from public.invitations i where i.token_sha256 = accept_invitation.token_sha256 for update;
  if invitation.id is null then
    perform private.refuse_missing();
  elsif not exists (
    select from auth.users u
    where u.id = me and lower(u.email) = invitation.email and u.email_confirmed_at is not null
  ) then
    perform private.refuse('EC403', 'forbidden',
      format('This invitation is for %s. Sign in with that address, confirmed by its code.', invitation.email),
      jsonb_build_object('email', invitation.email));
  end if;
  if invitation.accepted_at is not null then
    if invitation.accepted_by = me
      and exists (select from public.memberships m where m.id = invitation.membership_id and m.ended_at is null) then
      return jsonb_build_object('membership', private.membership_json(invitation.membership_id), 'repeated', true);
    end if;
    perform private.refuse('EC409', 'already_used', 'This invitation was accepted before. Ask for a new one.', '{"reason": "accepted"}');
  elsif invitation.revoked_at is not null then
    perform private.refuse('EC410', 'expired', 'This invitation was taken back. Ask whoever sent it.', '{"reason": "revoked"}');
  elsif invitation.expires_at <= now() then
    perform private.refuse('EC410', 'expired', 'This invitation has expired. Ask for a new one.', '{"reason": "expired"}');
  end if;
  membership := private.grant_membership(me, invitation);
  update public.invitations i set accepted_at = now(), accepted_by = me, membership_id = membership where i.id = invitation.id;
  perform private.write_audit('invitation_accepted', 'invitation', invitation.id::text, invitation.org_id, null,
    jsonb_build_object('email', invitation.email, 'role', invitation.role, 'membership_id', membership), invitation.partner_id);
  return jsonb_build_object('membership', private.membership_json(membership), 'repeated', false);
end
$function$;
grant execute on function ec.accept_invitation(bytea) to authenticated;
comment on function ec.accept_invitation(bytea) is 'The invited person → {membership, repeated}. EC403 forbidden {email} | plan_limit, EC404, EC409 already_used, EC410 expired {reason}';

CREATE OR REPLACE FUNCTION ec.acknowledge_command(serial text, id uuid, ok boolean, result jsonb DEFAULT NULL::jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;
grant execute on function ec.acknowledge_command(text,uuid,boolean,jsonb) to authenticated;
comment on function ec.acknowledge_command(text,uuid,boolean,jsonb) is 'The device itself: done, or refused → {id, state}; repeating it changes nothing. EC404';

CREATE OR REPLACE FUNCTION ec.advance_ota_jobs(at timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  job public.ota_jobs;
  moved int := 0;
begin
  -- Rounds follow each other; whoever works on a job at this moment advances it himself.
  perform pg_advisory_xact_lock(hashtext('ec.advance_ota_jobs'));
  for job in
    select j.* from public.ota_jobs j
    where j.state = 'scheduled' and j.starts_at <= advance_ota_jobs.at or j.state in ('running', 'paused')
      or j.state = 'aborted' and exists (
        select from public.ota_job_devices e
        where e.job_id = j.id and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting'))
    order by j.id for no key update skip locked
  loop
    -- Whatever is wrong with one job is no other org's trouble.
    begin
      perform private.advance_job(job, advance_ota_jobs.at);
      moved := moved + 1;
    exception when others then
      raise warning 'Update job % does not advance: % (%)', job.id, sqlerrm, sqlstate;
    end;
  end loop;
  return moved;
end
$function$;
grant execute on function ec.advance_ota_jobs(timestamp with time zone) to ec_bridge;
grant execute on function ec.advance_ota_jobs(timestamp with time zone) to ec_worker;
comment on function ec.advance_ota_jobs(timestamp with time zone) is 'Cron and NOTIFY ec_ota: one round over all jobs that are open; returns how many';

CREATE OR REPLACE FUNCTION ec.answer_shadow_get(serials text[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;
grant execute on function ec.answer_shadow_get(text[]) to ec_bridge;
comment on function ec.answer_shadow_get(text[]) is 'Sends each of the devices its document on shadow/document; returns how many';

CREATE OR REPLACE FUNCTION ec.assign_device(serial text, target jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.devices;
  after public.devices;
  new_org uuid;
  new_location uuid;
begin
  perform private.require_keys(target, array['org_id', 'location_id']);
  before := private.lock_device(assign_device.serial, 'configure');
  if before.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  end if;
  new_org := coalesce((target ->> 'org_id')::uuid, before.org_id);
  new_location := case
    when target ? 'location_id' then (target ->> 'location_id')::uuid
    when new_org = before.org_id then before.location_id
  end;
  if new_org <> before.org_id then
    perform private.require_org(before.org_id, 'provision');
    perform private.require_org(new_org, 'provision');
  end if;
  if new_location is not null and not exists (
    select from public.locations l where l.id = new_location and l.org_id = new_org
  ) then
    perform private.refuse_missing();
  end if;
  if (new_org, new_location) is not distinct from (before.org_id, before.location_id) then
    return private.device_json(before);
  end if;

  if new_org <> before.org_id then
    perform private.require_room_in_plan(new_org, 'devices');
    perform private.end_claim_codes(before.id, 'transferred');
    after := private.hand_over(before, new_org, new_location, null, now());
    perform private.write_audit('device_received', 'device', after.serial, after.org_id, null,
      jsonb_build_object('product_type', after.product_type));
  else
    update public.devices d set location_id = new_location where d.id = before.id returning d.* into after;
    perform private.start_tenure(after.id, private.has_tenants(before.location_id) or private.has_tenants(new_location));
    if private.has_tenants(before.location_id) then
      perform private.raise_epochs(array[before.org_id]);
    end if;
  end if;
  perform private.write_audit('device_assigned', 'device', after.serial, before.org_id,
    jsonb_build_object('org_id', before.org_id, 'location_id', before.location_id),
    jsonb_build_object('org_id', after.org_id, 'location_id', after.location_id));
  return private.device_json(after);
end
$function$;
grant execute on function ec.assign_device(text,jsonb) to authenticated;
comment on function ec.assign_device(text,jsonb) is 'Keys org_id, location_id (null = no room) → the device. EC400, EC403 forbidden | plan_limit, EC404, EC409 conflict (retired)';

CREATE OR REPLACE FUNCTION ec.assign_devices(items json)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  item record;
  result jsonb;
  results jsonb[] := array_fill(null::jsonb, array[greatest(json_array_length(items), 1)]);
  failed_detail text;
  failed_hint text;
begin
  if coalesce(json_array_length(items), 0) not between 1 and 500 then
    perform private.refuse('EC400', 'invalid_request', 'Assign 1 to 500 devices in one call.');
  end if;
  for item in
    select (e.i)::int as i, e.value ->> 'serial' as serial, e.value::jsonb - 'serial' as target
    from json_array_elements(items) with ordinality e (value, i) order by e.value ->> 'serial', e.i
  loop
    begin
      result := jsonb_build_object('ok', true, 'device', ec.assign_device(item.serial, item.target));
    exception
      when sqlstate 'EC400' or sqlstate 'EC403' or sqlstate 'EC404' or sqlstate 'EC409'
        or invalid_text_representation then
        get stacked diagnostics failed_detail = pg_exception_detail, failed_hint = pg_exception_hint;
        result := jsonb_build_object(
          'ok', false, 'serial', item.serial, 'error', private.item_error(sqlstate, sqlerrm, failed_detail, failed_hint));
    end;
    results[item.i] := result || jsonb_build_object('i', item.i - 1);
  end loop;
  return to_jsonb(results);
end
$function$;
grant execute on function ec.assign_devices(json) to authenticated;
comment on function ec.assign_devices(json) is 'Up to 500 of {serial, org_id?, location_id?}, each with its own result';

CREATE OR REPLACE FUNCTION ec.assign_org_devices(org_id uuid, serials text[], target jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  item record;
  result jsonb;
  results jsonb[] := array_fill(null::jsonb, array[greatest(cardinality(serials), 1)]);
  failed_detail text;
  failed_hint text;
begin
  perform private.require_org(assign_org_devices.org_id, 'configure');
  if coalesce(cardinality(serials), 0) not between 1 and 500 then
    perform private.refuse('EC400', 'invalid_request', 'Assign 1 to 500 devices in one call.');
  end if;
  -- In the order of serials, so that two calls over the same ones cannot wait for each other.
  for item in select s.serial, s.i::int as i from unnest(serials) with ordinality s (serial, i) order by s.serial, s.i loop
    begin
      if not exists (
        select from public.devices d where d.serial = item.serial and d.org_id = assign_org_devices.org_id
      ) then
        perform private.refuse_missing();
      end if;
      result := jsonb_build_object('ok', true, 'device', ec.assign_device(item.serial, target));
    exception
      when sqlstate 'EC400' or sqlstate 'EC403' or sqlstate 'EC404' or sqlstate 'EC409' or invalid_text_representation then
        get stacked diagnostics failed_detail = pg_exception_detail, failed_hint = pg_exception_hint;
        result := jsonb_build_object('ok', false,
          'error', private.item_error(sqlstate, sqlerrm, failed_detail, failed_hint));
    end;
    results[item.i] := result || jsonb_build_object('i', item.i - 1, 'serial', item.serial);
  end loop;
  return to_jsonb(results);
end
$function$;
grant execute on function ec.assign_org_devices(uuid,text[],jsonb) to authenticated;
comment on function ec.assign_org_devices(uuid,text[],jsonb) is 'Up to 500 devices of the org to {org_id?, location_id?} → [{i, serial, ok, device | error}] in the order given. EC400, EC403, EC404';

CREATE OR REPLACE FUNCTION ec.await_days(device_nums integer[], quarters timestamp with time zone[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  insert into ec.rollup_pending (level, device_num, org_num, bucket, ends_at)
  select distinct '1d', q.device_num, q.org_num, d.bucket, ec.next_day_start(d.bucket, o.timezone)
  from unnest(await_days.device_nums, await_days.quarters) as x (device_num, bucket)
  join public.rollups_15m q on q.device_num = x.device_num and q.bucket = x.bucket
  join public.orgs o on o.num = q.org_num
  cross join lateral ec.day_start(x.bucket, o.timezone) as d (bucket)
  on conflict do nothing
$function$;

CREATE OR REPLACE FUNCTION ec.await_rollups(level text, device_nums integer[], times timestamp with time zone[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  insert into ec.rollup_pending (level, device_num, bucket, ends_at)
  select distinct await_rollups.level, x.device_num, b.bucket, b.bucket + w.width
  from unnest(await_rollups.device_nums, await_rollups.times) as x (device_num, at)
  cross join (values ('5m', interval '5 minutes'), ('15m', interval '15 minutes'), ('1h', interval '1 hour')) as w (level, width)
  cross join lateral date_bin(w.width, x.at, 'epoch') as b (bucket)
  where w.level = await_rollups.level
  on conflict do nothing
$function$;

CREATE OR REPLACE FUNCTION ec.begin_firmware(org_id uuid, product_type text, version text, filename text, size bigint, notes text DEFAULT ''::text, raw boolean DEFAULT false)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted text := nullif(private.plain_version(begin_firmware.version), '');
  new_id uuid := gen_random_uuid();
  firmware public.firmware;
begin
  perform private.require_org(begin_firmware.org_id, 'ota');
  perform private.check_product_type(begin_firmware.product_type, begin_firmware.org_id);
  if size is null or size <= 0 then
    perform private.refuse('EC422', 'unprocessable', 'The file is empty.', '{"reason": "empty_file"}');
  elsif size > private.max_firmware_bytes() then
    perform private.refuse('EC413', 'too_large', 'An image has at most 32 MiB.',
      jsonb_build_object('reason', 'too_large', 'max_bytes', private.max_firmware_bytes()));
  elsif wanted is null and raw then
    perform private.refuse('EC422', 'unprocessable', 'Say which version a raw image is.', '{"reason": "version_missing"}');
  elsif not private.is_version(wanted) then
    perform private.refuse('EC422', 'unprocessable',
      'A version has up to 31 letters, digits, ".", "-", "_" or "+", such as 1.3.0.', '{"reason": "invalid_version"}');
  end if;
  -- Whoever lost the connection in the middle begins again.
  update public.firmware f set state = 'refused', refused_reason = 'replaced'
  where f.org_id = begin_firmware.org_id and f.product_type = begin_firmware.product_type and f.version = wanted
    and f.state = 'uploading';
  insert into public.firmware
    (id, org_id, product_type, version, notes, filename, size, raw, object_path, created_by_kind, created_by_id, created_by_label)
  values (new_id, begin_firmware.org_id, begin_firmware.product_type, wanted, left(coalesce(begin_firmware.notes, ''), 10000),
    left(coalesce(nullif(btrim(begin_firmware.filename), ''), 'firmware.bin'), 255), begin_firmware.size, coalesce(begin_firmware.raw, false),
    format('%s/%s/%s.bin', begin_firmware.org_id, begin_firmware.product_type, new_id),
    coalesce(private.actor_kind(), 'system'), private.actor_id(), private.actor_label())
  returning * into firmware;
  return private.firmware_json(firmware);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict',
    format('Version %s for this product type exists already.', wanted), '{"reason": "duplicate_version"}');
end
$function$;
grant execute on function ec.begin_firmware(uuid,text,text,text,bigint,text,boolean) to authenticated;
comment on function ec.begin_firmware(uuid,text,text,text,bigint,text,boolean) is 'Action ota → the firmware, state uploading. EC403, EC404, EC409 conflict, EC413, EC422; hint {reason}';

CREATE OR REPLACE FUNCTION ec.begin_idempotent(key text, request_sha256 bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  earlier ec.idempotency_keys;
begin
  delete from ec.idempotency_keys i
  where i.actor_kind = private.actor_kind() and i.actor_id = private.actor_id() and i.key = begin_idempotent.key
    and i.created_at < now() - interval '24 hours';
  insert into ec.idempotency_keys (actor_kind, actor_id, key, request_sha256)
  values (private.actor_kind(), private.actor_id(), begin_idempotent.key, begin_idempotent.request_sha256)
  on conflict do nothing;
  if found then
    return null;
  end if;
  select i.* into strict earlier from ec.idempotency_keys i
  where i.actor_kind = private.actor_kind() and i.actor_id = private.actor_id() and i.key = begin_idempotent.key;
  if earlier.request_sha256 <> begin_idempotent.request_sha256 then
    perform private.refuse('EC409', 'conflict', 'This Idempotency-Key was used for another request.');
  end if;
  return jsonb_build_object('status', earlier.status, 'response', earlier.response);
end
$function$;
grant execute on function ec.begin_idempotent(text,bytea) to authenticated;
comment on function ec.begin_idempotent(text,bytea) is 'Null = do the work; else the reply to repeat {status, response}. EC409 conflict when the request differs';

CREATE OR REPLACE FUNCTION ec.boot_of(num integer, ts timestamp with time zone, packet jsonb, former_uptime jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO ''
AS $function$
  select jsonb_build_object('num', num, 'at', ec.iso_time(ts),
    'uptime', case when jsonb_typeof(packet -> 'uptime') = 'number' then packet -> 'uptime' end,
    'reason', packet ->> 'reboot_reason', 'fw_version', coalesce(packet ->> 'fw_version', packet ->> 'fw'),
    'previous_uptime', case when jsonb_typeof(former_uptime) = 'number' then former_uptime end)
$function$;
comment on function ec.boot_of(integer,timestamp with time zone,jsonb,jsonb) is 'As private.note_boots takes it';

CREATE OR REPLACE FUNCTION ec.broadcast_devices(device_nums integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  topics text[];
begin
  with changed as (
    insert into ec.live_pending (topic, device_num)
    select l.topic, s.device_num
    from public.device_state s
    join ec.live_leases l on l.expires_at > clock_timestamp()
      and (l.kind = 'org' and l.org_num = s.org_num or l.kind = 'device' and l.device_num = s.device_num)
    where s.device_num = any (device_nums)
    returning topic
  )
  select array_agg(distinct c.topic) into topics from changed c;
  if topics is not null then perform ec.send_due_topics(topics); end if;
end
$function$;

CREATE OR REPLACE FUNCTION ec.broadcast_presence(device_nums integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform realtime.send(
    jsonb_build_object('serial', s.serial, 'connected', s.connected,
      'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), clock_timestamp())),
    'presence', l.topic, true)
  from public.device_state s
  join public.devices d on d.id = s.device_id
  join public.product_types t on t.key = s.product_type
  join ec.live_leases l on l.expires_at > clock_timestamp()
    and (l.kind = 'device' and l.device_num = s.device_num
      or l.kind = 'org' and l.org_num = s.org_num and cardinality(device_nums) <= 2)
  where s.device_num = any (device_nums);
  perform ec.broadcast_devices(device_nums);
end
$function$;

CREATE OR REPLACE FUNCTION ec.cancel_command(serial text, id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
  command public.device_commands;
begin
  device := private.lock_device(cancel_command.serial, 'control');
  select c.* into command from public.device_commands c
  where c.id = cancel_command.id and c.device_id = device.id and c.org_id = device.org_id for update;
  if command.id is null then
    perform private.refuse_missing();
  elsif command.state <> 'queued' or command.outbox_id is not null
    and not exists (select from private.withdraw_messages(array[command.outbox_id])) then
    perform private.refuse('EC409', 'conflict', 'This command has been sent or has ended.', jsonb_build_object('state', command.state));
  end if;
  update public.device_commands c set state = 'failed', reason = 'cancelled', outbox_id = null
  where c.id = command.id
  returning c.* into command;
  perform private.write_audit('command_cancelled', 'device', device.serial, device.org_id, null,
    jsonb_build_object('id', command.id, 'type', command.type));
  perform private.show_commands(array[command.id]);
  return private.command_json(command);
end
$function$;
grant execute on function ec.cancel_command(text,uuid) to authenticated;
comment on function ec.cancel_command(text,uuid) is 'Takes back a command nobody sent yet → the command. EC403, EC404, EC409 conflict {state}';

CREATE OR REPLACE FUNCTION ec.change_member_role(membership_id uuid, role text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.memberships := private.lock_membership(membership_id);
  after public.memberships;
begin
  if before.ended_at is not null then
    perform private.refuse_missing();
  elsif private.staff_rank(before.role) is null then
    perform private.refuse('EC422', 'unprocessable', format('A %s stays one; end the membership and invite again.', before.role));
  elsif private.staff_rank(change_member_role.role) is null then
    perform private.refuse('EC422', 'unprocessable', 'role is org_admin, operator or viewer.');
  elsif before.role = change_member_role.role then
    return private.member_json(before);
  end if;
  if before.role = 'org_admin' then
    perform private.require_other_org_admin(before);
  end if;
  update public.memberships m set role = change_member_role.role where m.id = before.id returning m.* into after;
  perform private.write_audit('member_role_changed', 'membership', after.id::text, after.org_id,
    private.member_json(before), private.member_json(after));
  return private.member_json(after);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This person has that role here already.');
end
$function$;
grant execute on function ec.change_member_role(uuid,text) to authenticated;
comment on function ec.change_member_role(uuid,text) is 'Among org_admin, operator, viewer; counts at once → the member. EC403, EC404, EC409 conflict (last org admin), EC422';

CREATE OR REPLACE FUNCTION ec.chart_plan(starts timestamp with time zone, ends timestamp with time zone, now timestamp with time zone, OUT source text, OUT bucket_s integer)
 RETURNS record
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select s.source, b.width
  from (
    select extract(epoch from ends - starts) as span, case
      when ends - starts <= interval '2 hours' and starts >= now - interval '7 days 12 hours' then 'raw'
      when ends - starts <= interval '7 hours' and starts >= now - interval '29 days' then '1m'
      when ends - starts <= interval '50 hours' and starts >= now - interval '29 days' then '5m'
      else '15m' end as source
  ) s
  cross join unnest(array[1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 604800]) as b (width)
  where b.width * 600 >= s.span and b.width >= case s.source when 'raw' then 1 when '1m' then 60 when '5m' then 300 else 900 end
  order by b.width
  limit 1
$function$;
grant execute on function ec.chart_plan(timestamp with time zone,timestamp with time zone,timestamp with time zone) to authenticated;

CREATE OR REPLACE FUNCTION ec.claim_device(serial text, code_sha256 bytea, org_id uuid DEFAULT NULL::uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me uuid := private.my_user_id();
  before public.devices;
  after public.devices;
  code public.claim_codes;
  reply jsonb;
begin
  if me is null then
    perform private.refuse('EC403', 'forbidden', 'A person claims a device: sign in.');
  end if;
  if claim_device.org_id is not null then
    perform private.require_org(claim_device.org_id, 'provision');
  end if;
  perform ec.ensure_profile();
  select d.* into before from public.devices d
  where d.serial = claim_device.serial
    and exists (select from public.claim_codes c where c.device_id = d.id and c.code_sha256 = claim_device.code_sha256)
  for no key update;
  if before.id is null then
    perform private.refuse_missing();
  end if;
  select c.* into strict code from public.claim_codes c where c.code_sha256 = claim_device.code_sha256;
  reply := jsonb_build_object('device_id', before.id, 'serial', before.serial,
    'place', case when claim_device.org_id is null then 'portal' else 'org' end,
    'org_id', coalesce(claim_device.org_id, before.org_id));
  -- A lost reply: the same person asks for what they have.
  if code.ended_reason = 'used' and code.used_by = me and before.customer_id is not distinct from
    (case when claim_device.org_id is null then me end) and before.org_id = coalesce(claim_device.org_id, before.org_id) then
    return reply || '{"repeated": true}';
  end if;
  perform private.require_claimable(private.claim_state(code.ended_reason, code.expires_at));

  if claim_device.org_id is null then
    insert into public.memberships (user_id, role, org_id) values (me, 'customer', before.org_id) on conflict do nothing;
    after := private.hand_over(before, before.org_id, before.location_id, me, now());
  elsif claim_device.org_id = before.org_id then
    after := private.hand_over(before, before.org_id, before.location_id, null, now());
  else
    perform private.require_room_in_plan(claim_device.org_id, 'devices');
    perform private.end_claim_codes(before.id, 'transferred');
    after := private.hand_over(before, claim_device.org_id, null, null, now());
    perform private.write_handover_audit('device_claimed', before.serial, before.org_id, 'another organisation');
  end if;
  update public.claim_codes c set used_at = now(), used_by = me, ended_reason = 'used', revoked_at = null where c.id = code.id;
  perform private.write_audit('device_claimed', 'device', after.serial, after.org_id,
    case when after.org_id = before.org_id then jsonb_build_object('customer_id', before.customer_id, 'claimed_at', before.claimed_at) end,
    jsonb_build_object('customer_id', after.customer_id, 'claimed_at', after.claimed_at));
  return reply || '{"repeated": false}';
end
$function$;
grant execute on function ec.claim_device(text,bytea,uuid) to authenticated;
comment on function ec.claim_device(text,bytea,uuid) is 'org_id null = into the person''s portal → {device_id, serial, place, org_id, repeated}. EC403 forbidden | plan_limit, EC404, EC409 already_used, EC410 expired {reason}';

CREATE OR REPLACE FUNCTION ec.claim_mail(worker text, max integer DEFAULT 20)
 RETURNS TABLE(id bigint, org_id uuid, to_address text, template text, data jsonb, attempts integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
begin
  return query
  with due as (
    select o.id from ec.mail_outbox o
    where o.sent_at is null and o.failed_at is null and o.next_attempt_at <= clock_timestamp()
      and (o.claimed_until is null or o.claimed_until <= clock_timestamp())
    order by o.next_attempt_at, o.id
    limit claim_mail.max
    for update skip locked
  )
  update ec.mail_outbox o
  set claimed_by = claim_mail.worker, claimed_until = clock_timestamp() + interval '60 seconds', attempts = o.attempts + 1
  from due where o.id = due.id
  returning o.id, o.org_id, o.to_address, o.template, o.data, o.attempts;
end
$function$;
grant execute on function ec.claim_mail(text,integer) to ec_worker;
comment on function ec.claim_mail(text,integer) is 'Due mail, leased to the worker for 60 s; attempts counts this one';

CREATE OR REPLACE FUNCTION ec.claim_mqtt_outbox(worker text, max integer DEFAULT 500)
 RETURNS TABLE(id bigint, serial text, topic text, payload text, qos integer, retain boolean, expires_at timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- One claim at a time, so that the rows another worker holds are visible below: a topic's messages must
  -- reach the broker in order, the last retained one stays.
  perform pg_advisory_xact_lock(hashtext('ec.claim_mqtt_outbox'));
  return query
  with due as (
    select o.id from ec.mqtt_outbox o
    where o.sent_at is null
      and (o.expires_at is null or o.expires_at > clock_timestamp())
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
    returning o.id, o.serial, o.topic, o.payload, o.qos, o.retain, o.expires_at
  )
  select c.* from claimed c order by c.id;
end
$function$;
grant execute on function ec.claim_mqtt_outbox(text,integer) to ec_bridge;
comment on function ec.claim_mqtt_outbox(text,integer) is 'Unsent messages that have not expired, oldest first, leased to the worker for 30 s';

CREATE OR REPLACE FUNCTION ec.claim_room(room_id uuid, code text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me uuid := private.my_user_id();
  room public.locations;
  membership uuid;
  repeated bool := false;
begin
  if me is null then
    perform private.refuse('EC403', 'forbidden', 'A person moves into a room: sign in.');
  end if;
  perform ec.ensure_profile();
  room := private.require_room_code(claim_room.room_id, claim_room.code);
  insert into public.memberships (user_id, role, org_id, location_id) values (me, 'tenant', room.org_id, room.id)
  on conflict do nothing returning id into membership;
  if membership is null then
    repeated := true;
    select m.id into strict membership from public.memberships m
    where m.user_id = me and m.role = 'tenant' and m.location_id = room.id and m.ended_at is null;
  else
    perform private.write_audit('room_claimed', 'location', room.id::text, room.org_id, null, jsonb_build_object('membership_id', membership));
  end if;
  return jsonb_build_object('membership', private.membership_json(membership), 'repeated', repeated);
end
$function$;
grant execute on function ec.claim_room(uuid,text) to authenticated;
comment on function ec.claim_room(uuid,text) is 'The person becomes the room''s tenant → {membership, repeated}. EC403, EC404, EC410 expired {reason}';

CREATE OR REPLACE FUNCTION ec.clock_skew(device_num integer, starts timestamp with time zone)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
AS $function$
  select case when count(*) >= 3 then jsonb_build_object('packets', sum(m.n), 'ms',
    round((percentile_disc(0.1) within group (order by m.late) * 1000)::numeric)) end
  from (
    select count(*) as n, min(extract(epoch from n.received_at - n.ts)) as late
    from (
      select t.ts, t.received_at from public.telemetry t
      where t.device_num = clock_skew.device_num and t.ts >= clock_skew.starts order by t.ts desc limit 200
    ) n
    -- What carries no time is stored with its arrival in microseconds.
    where n.received_at <> n.ts and date_trunc('milliseconds', n.ts) = n.ts
    group by date_bin('10 seconds', n.received_at, 'epoch')
  ) m
$function$;
grant execute on function ec.clock_skew(integer,timestamp with time zone) to authenticated;

CREATE OR REPLACE FUNCTION ec.count_packets(device_num integer, starts timestamp with time zone, boots timestamp with time zone[], OUT expected bigint, OUT received bigint, OUT duplicates bigint, OUT counters bigint)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  one_counter bool;
begin
  -- Most days have a single counter: that costs a third of the other way.
  select max(p.seq) - min(p.seq) + 1, count(distinct p.seq), count(*) - count(distinct p.seq), 1,
    coalesce(min(p.step), 0) >= -100 and coalesce(max(p.step), 0) <= 10000
  into expected, received, duplicates, counters, one_counter
  from (
    select t.seq, t.seq - lag(t.seq) over (order by t.ts) as step
    from public.telemetry t
    where t.device_num = count_packets.device_num and t.ts >= count_packets.starts and t.seq is not null
  ) p;
  if expected is null or one_counter and not exists (
    select from unnest(count_packets.boots) b where b >= count_packets.starts
  ) then
    return;
  end if;
  select sum(c.expected), sum(c.received), sum(c.n - c.received), count(*)
  into expected, received, duplicates, counters
  from (
    select max(s.seq) - min(s.seq) + 1 as expected, count(distinct s.seq) as received, count(*) as n
    from (
      select p.seq, p.boot, count(*) filter (where p.step < -100 or p.step > 10000) over (order by p.ts) as turn
      from (
        select t.ts, t.seq, width_bucket(t.ts + interval '1 second', count_packets.boots) as boot, t.seq - lag(t.seq) over (order by t.ts) as step
        from public.telemetry t
        where t.device_num = count_packets.device_num and t.ts >= count_packets.starts and t.seq is not null
      ) p
    ) s
    group by s.boot, s.turn
  ) c;
end
$function$;
grant execute on function ec.count_packets(integer,timestamp with time zone,timestamp with time zone[]) to authenticated;
comment on function ec.count_packets(integer,timestamp with time zone,timestamp with time zone[]) is 'Nulls when no packet has a number; counters = how often the numbering began anew, and once';

CREATE OR REPLACE FUNCTION ec.count_unread(org_id uuid)
 RETURNS integer
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me uuid := private.actor_id();
  since timestamptz := private.require_bell(count_unread.org_id);
begin
  return (
    select count(*) from public.notifications n
    where n.org_id = count_unread.org_id and n.created_at >= since
      and not exists (select from ec.notification_reads r where r.notification_id = n.id and r.reader_id = me));
end
$function$;
grant execute on function ec.count_unread(uuid) to authenticated;
comment on function ec.count_unread(uuid) is 'What the actor has not read of an org''s notifications. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.create_api_key(org_id uuid, name text, prefix text, key_sha256 bytea, scopes text[] DEFAULT NULL::text[], expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  key public.api_keys;
  grantable text[];
begin
  perform private.require_org(create_api_key.org_id, 'invite');
  grantable := private.grantable_scopes(create_api_key.org_id);
  if create_api_key.expires_at <= now() then
    perform private.refuse('EC400', 'invalid_request', 'expires_at lies in the past.');
  elsif cardinality(create_api_key.scopes) = 0 then
    perform private.refuse('EC400', 'invalid_request', 'Name at least one scope: read, write, ota, provision.');
  elsif not coalesce(create_api_key.scopes, grantable) <@ grantable then
    perform private.refuse('EC403', 'forbidden', format('You may give these scopes: %s.', array_to_string(grantable, ', ')));
  end if;
  insert into public.api_keys (org_id, name, prefix, key_sha256, scopes, created_by, expires_at)
  values (
    create_api_key.org_id, create_api_key.name, create_api_key.prefix, create_api_key.key_sha256,
    coalesce(create_api_key.scopes, grantable), private.my_user_id(), create_api_key.expires_at)
  returning * into key;
  perform private.write_audit('api_key_created', 'api_key', key.id::text, key.org_id, null,
    to_jsonb(key) - 'key_sha256');
  return to_jsonb(key) - 'key_sha256';
end
$function$;
grant execute on function ec.create_api_key(uuid,text,text,bytea,text[],timestamp with time zone) to authenticated;
comment on function ec.create_api_key(uuid,text,text,bytea,text[],timestamp with time zone) is 'scopes null = all the maker may give → the key''s row without its hash. EC400, EC403, EC404';

CREATE OR REPLACE FUNCTION ec.create_invitation(target jsonb, token_sha256 bytea, url text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  invitation public.invitations;
  address text := lower(btrim(target ->> 'email'));
  wanted record;
begin
  perform private.require_inviter(target);
  perform private.require_keys(target, array['org_id', 'partner_id', 'role', 'email', 'location_id']);
  select x.* into wanted from jsonb_to_record(target) x (org_id uuid, partner_id uuid, location_id uuid, role text);
  if address is null or length(address) > 254 or address !~ '^[^@\s]+@[^@\s]+$' then
    perform private.refuse('EC422', 'unprocessable', 'email is an e-mail address.');
  end if;
  if exists (
    select from public.memberships m join public.profiles p on p.id = m.user_id
    where lower(p.email) = address and m.ended_at is null
      and (m.role, m.org_id, m.partner_id, m.location_id)
        is not distinct from (wanted.role, wanted.org_id, wanted.partner_id, wanted.location_id)
  ) then
    perform private.refuse('EC409', 'conflict', 'This person has that access already.');
  end if;
  if wanted.role in ('org_admin', 'operator', 'viewer') then
    perform private.require_room_in_plan(wanted.org_id, 'users', 1, private.promised_seats(wanted.org_id, address));
  end if;
  insert into public.invitations as i (org_id, partner_id, location_id, role, email, token_sha256, invited_by)
  values (wanted.org_id, wanted.partner_id, wanted.location_id, wanted.role, address,
    create_invitation.token_sha256, private.my_user_id())
  on conflict (org_id, partner_id, location_id, role, email) where accepted_at is null and revoked_at is null
  do update set
    token_sha256 = excluded.token_sha256, invited_by = excluded.invited_by, expires_at = excluded.expires_at,
    sent_count = i.sent_count + 1, last_sent_at = now()
  returning * into invitation;
  perform private.mail_invitation(invitation, url);
  perform private.write_audit(case when invitation.sent_count = 1 then 'invitation_sent' else 'invitation_resent' end,
    'invitation', invitation.id::text, invitation.org_id, null,
    jsonb_build_object('email', invitation.email, 'role', invitation.role, 'location_id', invitation.location_id),
    invitation.partner_id);
  return private.invitation_json(invitation);
end
$function$;
grant execute on function ec.create_invitation(jsonb,bytea,text) to authenticated;
comment on function ec.create_invitation(jsonb,bytea,text) is '{org_id | partner_id, role, email, location_id?} → the invitation; an open one is sent again. EC403 forbidden | plan_limit, EC404, EC409, EC422';

CREATE OR REPLACE FUNCTION ec.create_location(org_id uuid, input jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  location public.locations;
begin
  perform private.require_org(create_location.org_id, 'configure');
  perform private.require_keys(input, array['name', 'type', 'parent_id', 'timezone']);
  if input ->> 'timezone' is not null then
    perform private.require_timezone(input ->> 'timezone');
  end if;
  insert into public.locations (org_id, parent_id, type, name, timezone)
  values (create_location.org_id, (input ->> 'parent_id')::uuid, input ->> 'type', input ->> 'name', input ->> 'timezone')
  returning * into location;
  perform private.write_audit('location_created', 'location', location.id::text, location.org_id, null, to_jsonb(location));
  return to_jsonb(location);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'There is one of this name in the same place.');
end
$function$;
grant execute on function ec.create_location(uuid,jsonb) to authenticated;
comment on function ec.create_location(uuid,jsonb) is '{name, type, parent_id?, timezone?} → the location. EC400, EC403, EC404, EC409, EC422';

CREATE OR REPLACE FUNCTION ec.create_org(input jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  org public.orgs;
  partner uuid := (input ->> 'partner_id')::uuid;
begin
  perform private.require_keys(input, array['name', 'slug', 'partner_id', 'plan', 'product', 'timezone']);
  -- GUARD: administrators, and partners for themselves
  if not private.is_admin() then
    partner := coalesce(partner, (select min(p::text)::uuid from private.my_partner_ids() p having count(*) = 1));
    if not exists (select from private.my_partner_ids() p) then
      perform private.refuse('EC403', 'forbidden', 'Only partners and the platform''s administrators create organisations.');
    elsif partner is null then
      perform private.refuse('EC400', 'invalid_request', 'Say for which partner with partner_id.');
    end if;
  end if;
  if partner is not null and partner not in (select private.my_partner_ids()) then
    perform private.refuse_missing();
  end if;
  perform private.check_org_input(input, null);
  perform private.require_orgs_in_plan(partner);
  insert into public.orgs (partner_id, name, slug, plan, product, timezone)
  values (
    partner, input ->> 'name', coalesce(input ->> 'slug', private.free_slug(input ->> 'name', 'org')),
    coalesce(input ->> 'plan', 'starter'), input ->> 'product', coalesce(input ->> 'timezone', 'UTC'))
  returning * into org;
  perform private.write_audit('org_created', 'org', org.id::text, org.id, null, to_jsonb(org), partner);
  return to_jsonb(org);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This slug is in use; choose another.');
end
$function$;
grant execute on function ec.create_org(jsonb) to authenticated;
comment on function ec.create_org(jsonb) is '{name, slug?, partner_id?, plan?, product?, timezone?} → the org. EC400, EC403 forbidden | plan_limit, EC404, EC409, EC422';

CREATE OR REPLACE FUNCTION ec.create_ota_job(org_id uuid, input jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  job public.ota_jobs;
begin
  perform private.require_org(create_ota_job.org_id, 'ota');
  job := private.make_job(create_ota_job.org_id, private.read_job_input(input), false);
  return private.ota_job_and_failures(job);
end
$function$;
grant execute on function ec.create_ota_job(uuid,jsonb) to authenticated;
comment on function ec.create_ota_job(uuid,jsonb) is 'Action ota → the job, begun unless starts_at lies ahead. EC400, EC403, EC404, EC409 (firmware not ready), EC422 {reasons}';

CREATE OR REPLACE FUNCTION ec.create_partner(input jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  partner public.partners;
begin
  if not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators create partners.');
  end if;
  perform private.require_keys(input, array['name', 'slug', 'contact_email', 'plan']);
  insert into public.partners (name, slug, contact_email, plan)
  values (input ->> 'name', coalesce(input ->> 'slug', private.free_slug(input ->> 'name', 'partner')),
    input ->> 'contact_email', coalesce(input ->> 'plan', 'starter'))
  returning * into partner;
  perform private.write_audit('partner_created', 'partner', partner.id::text, null, null, to_jsonb(partner), partner.id);
  return to_jsonb(partner);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This slug is in use; choose another.');
end
$function$;
grant execute on function ec.create_partner(jsonb) to authenticated;
comment on function ec.create_partner(jsonb) is '{name, slug?, contact_email?, plan?} → the partner. EC400, EC403, EC409';

CREATE OR REPLACE FUNCTION ec.create_provisioning_key(org_id uuid, input jsonb, prefix text, key_sha256 bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  key public.provisioning_keys;
  mode text := coalesce(input ->> 'mode', 'known');
begin
  perform private.require_org(create_provisioning_key.org_id, 'invite');
  perform private.require_keys(input, array['name', 'product_type', 'mode', 'serial_prefix', 'max_count', 'expires_at']);
  perform private.check_product_type(input ->> 'product_type', create_provisioning_key.org_id);
  if mode = 'new' and (input ->> 'serial_prefix' is null or input ->> 'max_count' is null or input ->> 'expires_at' is null) then
    perform private.refuse('EC400', 'invalid_request', 'A key for new serials needs serial_prefix, max_count and expires_at.');
  elsif (input ->> 'expires_at')::timestamptz <= now() then
    perform private.refuse('EC400', 'invalid_request', 'expires_at lies in the past.');
  end if;
  insert into public.provisioning_keys
    (org_id, product_type, name, mode, serial_prefix, max_count, expires_at, prefix, key_sha256, created_by)
  values (
    create_provisioning_key.org_id, input ->> 'product_type', input ->> 'name', mode, input ->> 'serial_prefix',
    (input ->> 'max_count')::int, (input ->> 'expires_at')::timestamptz, create_provisioning_key.prefix,
    create_provisioning_key.key_sha256, private.my_user_id())
  returning * into key;
  perform private.write_audit('provisioning_key_created', 'provisioning_key', key.id::text, key.org_id, null,
    to_jsonb(key) - 'key_sha256');
  return to_jsonb(key) - 'key_sha256';
end
$function$;
grant execute on function ec.create_provisioning_key(uuid,jsonb,text,bytea) to authenticated;
comment on function ec.create_provisioning_key(uuid,jsonb,text,bytea) is '{name, product_type, mode?, serial_prefix?, max_count?, expires_at?} → the key''s row without its hash. EC400, EC403, EC404, EC422';

CREATE OR REPLACE FUNCTION ec.create_room(org_id uuid, input jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  parent uuid;
begin
  perform private.require_org(create_room.org_id, 'configure');
  perform private.require_keys(input, array['name', 'floor', 'building', 'timezone']);
  if input ->> 'building' is not null then
    parent := private.find_or_create_location(create_room.org_id, null, 'building', input ->> 'building');
  end if;
  if input ->> 'floor' is not null then
    parent := private.find_or_create_location(create_room.org_id, parent, 'floor', input ->> 'floor');
  end if;
  return ec.create_location(create_room.org_id, jsonb_build_object(
    'type', 'room', 'name', input -> 'name', 'timezone', input -> 'timezone', 'parent_id', parent));
end
$function$;
grant execute on function ec.create_room(uuid,jsonb) to authenticated;
comment on function ec.create_room(uuid,jsonb) is '{name, floor?, building?, timezone?} → the room; building and floor are found by name or made. EC400, EC403, EC404, EC409, EC422';

CREATE OR REPLACE FUNCTION ec.day_start(at timestamp with time zone, zone text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$ select date_trunc('day', at at time zone zone) at time zone zone $function$;

CREATE OR REPLACE FUNCTION ec.delete_device_filter(filter_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  saved public.device_filters;
begin
  select f.* into saved from public.device_filters f where f.id = delete_device_filter.filter_id for update;
  perform private.require_org(saved.org_id, 'control');
  delete from public.device_filters f where f.id = saved.id;
  perform private.write_audit('device_filter_deleted', 'device_filter', saved.id::text, saved.org_id,
    jsonb_build_object('name', saved.name, 'filter', saved.filter));
end
$function$;
grant execute on function ec.delete_device_filter(uuid) to authenticated;
comment on function ec.delete_device_filter(uuid) is 'Action control; jobs made from it keep their devices. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.delete_location(location_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  location public.locations;
begin
  location := private.require_location(delete_location.location_id);
  if exists (select from public.locations l where l.parent_id = location.id) then
    perform private.refuse('EC409', 'conflict', 'There are other places in it. Move or delete them first.');
  elsif exists (select from public.devices d where d.location_id = location.id) then
    perform private.refuse('EC409', 'conflict', 'There are devices in it. Assign them elsewhere first.');
  elsif private.has_tenants(location.id) then
    perform private.refuse('EC409', 'conflict', 'Somebody lives in it. End their tenancy first.');
  end if;
  delete from public.memberships m where m.location_id = location.id;
  delete from public.locations l where l.id = location.id;
  perform private.write_audit('location_deleted', 'location', location.id::text, location.org_id, to_jsonb(location));
end
$function$;
grant execute on function ec.delete_location(uuid) to authenticated;
comment on function ec.delete_location(uuid) is 'Deletes an empty place. EC403, EC404, EC409 conflict';

CREATE OR REPLACE FUNCTION ec.deliver_commands(device_nums integer[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  command public.device_commands;
  message bigint;
begin
  for command in
    select c.* from public.device_commands c
    where c.device_num = any (device_nums) and c.state in ('queued', 'sent') and c.outbox_id is null
      and c.expires_at > clock_timestamp()
      -- A restart that is not confirmed may have happened all the same.
      and (c.state = 'queued' or c.type <> 'reboot' and c.sent_at < clock_timestamp() - private.resend_after(c.sends))
    order by c.created_at, c.id
    for update skip locked
  loop
    message := private.enqueue_mqtt(command.serial, 'cmd',
      private.compact_json(private.command_message(command)), false, command.expires_at);
    update ec.mqtt_outbox o set command_id = command.id where o.id = message;
    update public.device_commands c set outbox_id = message where c.id = command.id;
  end loop;
  perform private.deliver_ota(device_nums);
  update public.device_state s set pending = false
  where s.device_num = any (device_nums) and s.pending and not private.is_awaited(s.device_num);
end
$function$;
comment on function ec.deliver_commands(integer[]) is 'Hands what is due to the outbox, commands and updates, and clears the mark of devices nothing waits for';

CREATE OR REPLACE FUNCTION ec.device_history(serial text)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices := private.require_device(serial, 'read');
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'started_at', t.started_at, 'ended_at', t.ended_at, 'org_name', o.name, 'location_name', l.name, 'customer_email', p.email
    ) order by t.started_at desc, t.id desc), '[]')
    from public.device_tenures t
    join public.orgs o on o.id = t.org_id
    left join public.locations l on l.id = t.location_id
    left join public.profiles p on p.id = t.customer_id
    -- What happened at somebody else's is theirs.
    where t.device_id = device.id and t.org_id = any (array(select private.my_org_ids()))
  );
end
$function$;
grant execute on function ec.device_history(text) to authenticated;
comment on function ec.device_history(text) is 'Its tenures in orgs the actor reads, newest first: [{started_at, ended_at, org_name, location_name, customer_email}]. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.device_secret_is_live(sha256 bytea)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select exists (
    select from public.device_credentials c join public.devices d on d.id = c.device_id
    where c.secret_sha256 = device_secret_is_live.sha256 and c.revoked_at is null
      and (c.expires_at is null or c.expires_at > now()) and d.lifecycle <> 'retired'
  )
$function$;
grant execute on function ec.device_secret_is_live(bytea) to ec_api;
comment on function ec.device_secret_is_live(bytea) is 'True for a live secret of any device: tells wrong device from wrong secret';

CREATE OR REPLACE FUNCTION ec.device_status(last_seen timestamp with time zone, window_s integer, at timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO ''
AS $function$
  select case when last_seen is null then 'never_seen'
    when last_seen >= at - make_interval(secs => window_s) then 'online' else 'offline' end
$function$;
comment on function ec.device_status(timestamp with time zone,integer,timestamp with time zone) is 'online | offline | never_seen';

CREATE OR REPLACE FUNCTION ec.drop_old_partitions(now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '5s'
AS $function$
declare
  dropped int := 0;
  old record;
begin
  perform pg_advisory_xact_lock(hashtext('ec.partitions'));
  for old in
    select c.relname
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    join pg_catalog.pg_class p on p.oid = i.inhparent
    join (values ('telemetry', interval '8 days'), ('rollups_1m', interval '30 days'),
      ('rollups_5m', interval '30 days'), ('rollups_15m', interval '400 days'))
      as kept (parent, age) on kept.parent = p.relname
    where p.relnamespace = 'public'::regnamespace
      and (pg_catalog.regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid), $re$TO \('([^']+)'\)$re$))[1]::timestamptz
        <= drop_old_partitions.now - kept.age
    order by c.relname
  loop
    execute format('drop table ec.%I', old.relname);
    dropped := dropped + 1;
  end loop;
  delete from ec.telemetry_default t where t.ts < drop_old_partitions.now - interval '8 days';
  delete from ec.rollups_1m_default r where r.bucket < drop_old_partitions.now - interval '30 days';
  delete from ec.rollups_5m_default r where r.bucket < drop_old_partitions.now - interval '30 days';
  delete from ec.rollups_15m_default r where r.bucket < drop_old_partitions.now - interval '400 days';
  return dropped;
end
$function$;
grant execute on function ec.drop_old_partitions(timestamp with time zone) to ec_worker;
comment on function ec.drop_old_partitions(timestamp with time zone) is 'Ends what retention no longer keeps, by dropping partitions';

CREATE OR REPLACE FUNCTION ec.end_membership(membership_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  member public.memberships;
begin
  -- GUARD: everybody may leave by themselves
  select m.* into member from public.memberships m
  where m.id = end_membership.membership_id and m.user_id = private.my_user_id() for update;
  if member.id is null then
    member := private.lock_membership(end_membership.membership_id);
  end if;
  if member.ended_at is not null then
    return;
  elsif member.role = 'org_admin' then
    perform private.require_other_org_admin(member);
  elsif member.role = 'admin' then
    perform private.require_other_admin(member);
  end if;
  update public.memberships m set ended_at = now() where m.id = member.id;
  perform private.write_audit(case when member.role = 'tenant' then 'tenant_moved_out' else 'member_removed' end,
    'membership', member.id::text, member.org_id, private.member_json(member), null, member.partner_id);
end
$function$;
grant execute on function ec.end_membership(uuid) to authenticated;
comment on function ec.end_membership(uuid) is 'Access ends here at once; repeating it changes nothing. EC403, EC404, EC409 conflict (last admin)';

CREATE OR REPLACE FUNCTION ec.ensure_partition(parent text, name text, starts timestamp with time zone, ends timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  key_column text := case parent when 'telemetry' then 'ts' else 'bucket' end;
begin
  if to_regclass(format('ec.%I', name)) is not null then
    return false;
  end if;
  execute format('create table ec.%I (like public.%I including defaults including constraints including storage)', name, parent);
  execute format('alter table ec.%I enable row level security', name);
  execute format(
    'with moved as (delete from ec.%I where %I >= %L and %I < %L returning *) insert into ec.%I select * from moved',
    parent || '_default', key_column, starts, key_column, ends, name);
  execute format('alter table public.%I attach partition ec.%I for values from (%L) to (%L)', parent, name, starts, ends);
  return true;
end
$function$;

CREATE OR REPLACE FUNCTION ec.ensure_partitions(now timestamp with time zone, back interval DEFAULT '8 days'::interval)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET "TimeZone" TO 'UTC'
AS $function$
declare
  made int := 0;
  day timestamptz;
begin
  perform pg_advisory_xact_lock(hashtext('ec.partitions'));
  for day in select generate_series(date_trunc('day', ensure_partitions.now - back), ensure_partitions.now + interval '3 days', interval '1 day') loop
    made := made
      + ec.ensure_partition('telemetry', 'telemetry_' || to_char(day, 'YYYYMMDD'), day, day + interval '1 day')::int
      + ec.ensure_partition('rollups_1m', 'rollups_1m_' || to_char(day, 'YYYYMMDD'), day, day + interval '1 day')::int
      + ec.ensure_partition('rollups_5m', 'rollups_5m_' || to_char(day, 'YYYYMMDD'), day, day + interval '1 day')::int;
  end loop;
  for day in select generate_series(date_trunc('month', ensure_partitions.now - back), ensure_partitions.now + interval '3 days', interval '1 month') loop
    made := made + ec.ensure_partition('rollups_15m', 'rollups_15m_' || to_char(day, 'YYYYMM'), day, day + interval '1 month')::int;
  end loop;
  return made;
end
$function$;
grant execute on function ec.ensure_partitions(timestamp with time zone,interval) to ec_worker;
comment on function ec.ensure_partitions(timestamp with time zone,interval) is 'Makes the partitions of the coming three days and of the past that readings may still arrive for';

CREATE OR REPLACE FUNCTION ec.ensure_profile()
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  profile public.profiles;
begin
  insert into public.profiles as p (id, email, full_name)
  select u.id, u.email, u.raw_user_meta_data ->> 'full_name'
  from auth.users u where u.id = private.my_user_id()
  on conflict (id) do update set email = excluded.email where p.email is distinct from excluded.email;
  select p.* into profile from public.profiles p where p.id = private.my_user_id();
  if profile.id is null then
    perform private.refuse('EC401', 'unauthenticated', 'This account no longer exists.');
  end if;
  return to_jsonb(profile);
end
$function$;
grant execute on function ec.ensure_profile() to authenticated;
comment on function ec.ensure_profile() is 'The actor''s profile, made when missing, its e-mail kept up to date. EC401';

CREATE OR REPLACE FUNCTION ec.expire_commands(at timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  ended uuid[];
  messages bigint[];
begin
  with due as (
    select c.id from public.device_commands c
    where c.state in ('queued', 'sent') and c.expires_at <= expire_commands.at order by c.id for update skip locked
  ), closed as (
    update public.device_commands c set
      state = 'expired', reason = case when c.sent_at is null then 'not_reached' else 'not_answered' end
    from due where c.id = due.id
    returning c.id, c.outbox_id
  )
  select array_agg(id), array_agg(outbox_id) into ended, messages from closed;
  if ended is not null then
    perform private.withdraw_messages(messages);
    perform private.show_commands(ended);
  end if;
  return coalesce(cardinality(ended), 0);
end
$function$;
comment on function ec.expire_commands(timestamp with time zone) is 'Cron: what nobody did in time is never done; returns how many';

CREATE OR REPLACE FUNCTION ec.expire_credentials(at timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  expired text[];
begin
  with ended as (
    update public.device_credentials c set revoked_at = c.expires_at
    where c.revoked_at is null and c.expires_at <= expire_credentials.at
    returning c.serial
  )
  select array_agg(distinct serial) into expired from ended;
  perform pg_notify('ec_credentials', serial) from unnest(expired) serial;
  perform private.clear_retained(gone.serial) from unnest(expired) gone (serial)
  where not exists (select from ec.mqtt_credentials c where c.serial = gone.serial);
  return coalesce(cardinality(expired), 0);
end
$function$;
comment on function ec.expire_credentials(timestamp with time zone) is 'Cron: tells brokers about overlaps that ended';

CREATE OR REPLACE FUNCTION ec.fail_mail(id bigint, worker text, error text, retry boolean DEFAULT true)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update ec.mail_outbox o set
    claimed_by = null, claimed_until = null, last_error = left(error, 500),
    failed_at = case when not retry or o.attempts >= 8 then clock_timestamp() end,
    data = case when not retry or o.attempts >= 8 then '{}' else o.data end,
    -- 30 s, 1 min, 2 min … up to an hour, each a quarter more or less
    next_attempt_at = clock_timestamp()
      + least(30 * 2 ^ (o.attempts - 1), 3600) * (0.75 + random() / 2) * interval '1 second'
  where o.id = fail_mail.id and o.claimed_by = worker and o.sent_at is null
$function$;
grant execute on function ec.fail_mail(bigint,text,text,boolean) to ec_worker;
comment on function ec.fail_mail(bigint,text,text,boolean) is 'Tried in vain: again later, or given up after 8 tries or when retry is false';

CREATE OR REPLACE FUNCTION ec.find_collided(items jsonb, conflicts integer[])
 RETURNS integer[]
 LANGUAGE sql
 STABLE
 SET search_path TO ''
 SET enable_hashjoin TO 'off'
AS $function$
  select coalesce(array_agg(p.i), '{}')
  from jsonb_to_recordset(items) as p (i int, s text, d jsonb, r bigint, t bigint, q bigint)
  join public.device_state s on s.serial = p.s
  join public.telemetry e on e.device_num = s.device_num and e.ts = to_timestamp(p.r::float8 / 1e6)
  where p.i = any (conflicts) and p.t is null
    and not (e.received_at = e.ts and e.data = p.d and e.seq is not distinct from p.q)
$function$;

CREATE OR REPLACE FUNCTION ec.find_redelivered(items jsonb)
 RETURNS integer[]
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select coalesce(array_agg(p.i), '{}')
  from jsonb_to_recordset(items) as p (i int, s text, d jsonb, q bigint)
  join public.device_state s on s.serial = p.s
  where exists (
    select from (
      select t.ts, t.received_at, t.seq, t.data from public.telemetry t
      where t.device_num = s.device_num order by t.ts desc limit 64
    ) as newest
    where newest.ts = newest.received_at and newest.data = p.d and newest.seq is not distinct from p.q
  )
$function$;

CREATE OR REPLACE FUNCTION ec.finish_firmware(firmware_id uuid, facts jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  firmware public.firmware := private.lock_firmware(firmware_id, true);
  type public.product_types;
  in_header text := nullif(private.plain_version(facts ->> 'version'), '');
  counts text := coalesce(firmware.version, in_header);
  reason text;
  detail text;
begin
  select p.* into strict type from public.product_types p where p.key = firmware.product_type;
  if (facts ->> 'size')::bigint is null or facts ->> 'sha256' is null or facts ->> 'signature' is null then
    perform private.refuse('EC400', 'invalid_request', 'Say size, sha256 and signature.');
  end if;

  if (facts ->> 'size')::bigint <= 0 then
    reason := 'empty_file';
    detail := 'The file is empty.';
  elsif (facts ->> 'size')::bigint > private.max_firmware_bytes() then
    reason := 'too_large';
    detail := 'An image has at most 32 MiB.';
  elsif not firmware.raw and private.chip_key(facts ->> 'chip') <> type.chip then
    reason := 'wrong_chip';
    detail := format('This image is for %s, %s has %s.', facts ->> 'chip', type.name, type.chip);
  elsif not firmware.raw and in_header <> counts then
    reason := 'version_mismatch';
    detail := format('You said version %s, the image says %s.', firmware.version, in_header);
  elsif counts is null then
    reason := 'version_missing';
    detail := 'The image names no version; say which it is.';
  elsif not private.is_version(counts) then
    reason := 'invalid_version';
    detail := format('The image''s version "%s" has characters a version cannot have.', left(counts, 40));
  else
    begin
      update public.firmware f set state = 'refused', refused_reason = 'replaced'
      where f.org_id = firmware.org_id and f.product_type = firmware.product_type and f.version = counts
        and f.state = 'uploading' and f.id <> firmware.id;
      update public.firmware f set
        state = 'ready', ready_at = clock_timestamp(), version = counts, size = (facts ->> 'size')::bigint,
        sha256 = facts ->> 'sha256', signature = facts ->> 'signature', chip = private.chip_key(facts ->> 'chip'),
        project = left(facts ->> 'project', 64), idf_version = left(facts ->> 'idf_version', 64)
      where f.id = firmware.id
      returning f.* into firmware;
    exception when unique_violation then
      reason := 'duplicate_version';
      detail := format('Version %s for this product type exists already.', counts);
    end;
  end if;
  if reason is not null then
    return private.firmware_json(private.close_upload(firmware, reason)) || jsonb_build_object('detail', detail);
  end if;

  perform private.write_audit('firmware_uploaded', 'firmware', firmware.id::text, firmware.org_id, null,
    jsonb_build_object('product_type', firmware.product_type, 'version', firmware.version, 'size', firmware.size));
  perform private.notify_org(firmware.org_id, 'firmware_uploaded', 'info',
    format('Firmware %s for %s is ready', firmware.version, type.name), left(firmware.notes, 500), '/org/firmware',
    jsonb_build_object('firmware', firmware.id));
  return private.firmware_json(firmware) || jsonb_build_object('detail', null);
end
$function$;
grant execute on function ec.finish_firmware(uuid,jsonb) to ec_api;
comment on function ec.finish_firmware(uuid,jsonb) is 'The API alone, for an actor with action ota: facts {size, sha256, signature, chip, project, version, idf_version} → the firmware, ready or refused, and detail. EC400, EC404, EC409';

CREATE OR REPLACE FUNCTION ec.finish_idempotent(key text, status integer, response jsonb)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update ec.idempotency_keys i set status = finish_idempotent.status, response = finish_idempotent.response
  where i.actor_kind = private.actor_kind() and i.actor_id = private.actor_id() and i.key = finish_idempotent.key
$function$;
grant execute on function ec.finish_idempotent(text,integer,jsonb) to authenticated;
comment on function ec.finish_idempotent(text,integer,jsonb) is 'Keeps the reply. The caller leaves secrets out of it';

CREATE OR REPLACE FUNCTION ec.finish_mail(id bigint, worker text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update ec.mail_outbox o set sent_at = clock_timestamp(), claimed_until = null, data = '{}', last_error = null
  where o.id = finish_mail.id and o.claimed_by = worker and o.sent_at is null
$function$;
grant execute on function ec.finish_mail(bigint,text) to ec_worker;
comment on function ec.finish_mail(bigint,text) is 'The mail service took it; what it said is forgotten';

CREATE OR REPLACE FUNCTION ec.finish_mqtt_outbox(ids bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  commands uuid[];
  messages bigint[];
  executions bigint[];
  newly bigint[];
begin
  with done as (
    update ec.mqtt_outbox o set sent_at = clock_timestamp(), claimed_until = null
    where o.id = any (ids) and o.sent_at is null
    returning o.id, o.command_id, o.ota_id
  )
  select array_agg(d.command_id) filter (where d.command_id is not null), array_agg(d.id) filter (where d.ota_id is not null),
    array_agg(d.ota_id) filter (where d.ota_id is not null)
  into commands, messages, executions from done d;
  if commands is not null then
    perform from public.device_commands c where c.id = any (commands) order by c.id for update;
    -- The device may have answered before the broker did.
    update public.device_commands c set
      state = case when c.state = 'queued' then 'sent' else c.state end,
      sent_at = clock_timestamp(), sent_door = 'mqtt', sends = c.sends + 1, outbox_id = null
    where c.id = any (commands);
    perform private.show_commands(commands);
  end if;
  if executions is not null then
    perform from public.ota_job_devices e where e.id = any (executions) order by e.id for update;
    -- Another message may have taken its place; then this one says nothing any more.
    select array_agg(e.id) into newly from public.ota_job_devices e
    where e.id = any (executions) and e.outbox_id = any (messages) and e.state = 'queued';
    update public.ota_job_devices e set sent_at = clock_timestamp(), sends = e.sends + 1, outbox_id = null
    where e.id = any (executions) and e.outbox_id = any (messages);
    perform private.mark_ota_sent(newly);
  end if;
end
$function$;
grant execute on function ec.finish_mqtt_outbox(bigint[]) to ec_bridge;
comment on function ec.finish_mqtt_outbox(bigint[]) is 'The broker acknowledged these';

CREATE OR REPLACE FUNCTION ec.firmware_link(token_sha256 bytea)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object('firmware_id', f.id, 'object_path', f.object_path, 'filename', f.filename, 'size', f.size,
    'expires_at', ec.iso_time(l.expires_at),
    'expired', l.expires_at <= clock_timestamp() or coalesce(e.state = 'cancelled', false))
  from ec.firmware_links l
  join public.firmware f on f.id = l.firmware_id
  left join public.ota_job_devices e on e.id = l.job_device_id
  where l.token_sha256 = firmware_link.token_sha256
$function$;
grant execute on function ec.firmware_link(bytea) to ec_api;
comment on function ec.firmware_link(bytea) is 'The API alone: sha256 of the token in the address → {firmware_id, object_path, filename, size, expires_at, expired}; null = unknown';

CREATE OR REPLACE FUNCTION ec.has_restarted(packet jsonb, ts timestamp with time zone, before jsonb, before_at timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO ''
AS $function$
  select case when jsonb_typeof(packet -> 'uptime') = 'number' and jsonb_typeof(before -> 'uptime') = 'number'
    then coalesce((packet ->> 'uptime')::numeric - (before ->> 'uptime')::numeric + 60 < extract(epoch from ts - before_at), false)
    else false end
$function$;

CREATE OR REPLACE FUNCTION ec.import_devices(org_id uuid, rows json, dry_run boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  item record;
  result jsonb;
  errors jsonb;
  results jsonb[];
  failed_detail text;
  failed_hint text;
  total int := case when json_typeof(rows) = 'array' then json_array_length(rows) else 0 end;
begin
  perform private.require_org(import_devices.org_id, 'configure');
  if total not between 1 and 500 then
    perform private.refuse('EC400', 'invalid_request', 'Import 1 to 500 rows in one call.');
  end if;
  results := array_fill(null::jsonb, array[total]);
  begin
    -- In the order of serials, so that two calls over the same ones cannot wait for each other.
    for item in
      with given as (
        select e.i::int as i, e.value::jsonb as value, (e.value ->> 'line')::int as line, e.value ->> 'serial' as serial,
          first_value((e.value ->> 'line')::int) over (partition by e.value ->> 'serial' order by e.i) as first_line,
          private.path_key(e.value ->> 'location') as key
        from json_array_elements(rows) with ordinality e (value, i)
      ), places as materialized (
        select p.key, count(*)::int as matches, (array_agg(p.id))[1] as id
        from private.location_paths(import_devices.org_id) p group by p.key
      )
      select g.i, g.value, g.line, g.serial, case when g.serial is not null then nullif(g.first_line, g.line) end as first_line,
        coalesce(p.matches, 0) as matches, p.id as location_id
      from given g left join places p on p.key = g.key and g.key <> ''
      order by g.serial, g.i
    loop
      errors := private.import_errors(item.value, item.matches, item.first_line);
      result := '{"action": "error"}';
      if errors = '[]' then
        begin
          result := private.import_device(import_devices.org_id, item.value, item.location_id);
        exception
          when sqlstate 'EC400' or sqlstate 'EC401' or sqlstate 'EC403' or sqlstate 'EC404' or sqlstate 'EC409'
            or sqlstate 'EC422' or integrity_constraint_violation or data_exception then
            get stacked diagnostics failed_detail = pg_exception_detail, failed_hint = pg_exception_hint;
            errors := jsonb_build_array(private.import_error(
              case when sqlstate like 'EC4%' then coalesce(nullif(failed_hint, '')::jsonb ->> 'column',
                case when nullif(failed_hint, '')::jsonb ? 'known' then 'product_type' end) end,
              case when sqlstate like 'EC4%' then sqlerrm else 'unprocessable' end,
              case when sqlstate like 'EC4%' then failed_detail else 'A value is out of its range.' end));
        end;
      end if;
      results[item.i] := result || jsonb_build_object('line', item.line, 'serial', item.serial, 'errors', errors);
    end loop;
    if dry_run then
      raise exception using errcode = 'EC001', message = 'preview';
    end if;
  exception when sqlstate 'EC001' then
    -- The preview is taken back; what it found stays in `results`.
    null;
  end;
  return jsonb_build_object('rows', to_jsonb(results), 'applied', not dry_run,
    'counts', (
      select jsonb_object_agg(a.action, (select count(*) from unnest(results) r where r ->> 'action' = a.action))
      from (values ('create'), ('update'), ('unchanged'), ('error')) a (action)
    ));
end
$function$;
grant execute on function ec.import_devices(uuid,json,boolean) to authenticated;
comment on function ec.import_devices(uuid,json,boolean) is '1 to 500 rows → {rows: [{line, serial, action, changes, errors: [{column, code, detail}]}], counts, applied}. EC400, EC403, EC404';

CREATE OR REPLACE FUNCTION ec.ingest_device_requests(requests json)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  admitted int[];
  credentials uuid[];
  packets json;
  refused json;
  owners int[];
  outcome jsonb;
  restarts int[];
begin
  select array_agg(r.i), array_agg(c.id) into admitted, credentials
  from json_to_recordset(requests) as r (i int, s text, h text)
  join public.device_credentials c on c.secret_sha256 = decode(r.h, 'hex') and c.serial = r.s
  join public.devices d on d.id = c.device_id
  where c.revoked_at is null and (c.expires_at is null or c.expires_at > clock_timestamp())
    and d.lifecycle <> 'retired';

  select json_agg(json_build_object('i', n - 1, 's', x.s, 'd', x.d, 'r', x.r, 't', x.t, 'q', x.q) order by n), array_agg(x.i order by n)
  into packets, owners
  from (
    select r.i, r.s, p.d, p.r, p.t, p.q, row_number() over (order by r.i, p.o) as n
    from json_to_recordset(requests) as r (i int, s text, p json)
    cross join lateral rows from (json_to_recordset(r.p) as (d json, r bigint, t bigint, q bigint))
      with ordinality as p (d, r, t, q, o)
    where (r.i in (select unnest(admitted))) is true
  ) x;
  outcome := ec.ingest_telemetry(coalesce(packets, '[]'), 'https');
  -- Of several requests of one device the first one says it.
  if outcome ? 'waiting' then
    restarts := ec.take_restarts(array(select n::int from jsonb_array_elements_text(outcome -> 'waiting') n));
    restarts := array(
      select min(r.i)
      from json_to_recordset(requests) as r (i int, s text) join public.device_state s on s.serial = r.s
      where r.i = any (owners) and s.device_num = any (restarts)
      group by r.s);
  end if;

  select json_agg(json_build_object('s', r.s, 'door', 'https', 'reason', letter ->> 'reason', 'detail', letter ->> 'detail',
    'payload', letter ->> 'payload', 'bytes', letter -> 'bytes', 'r', letter -> 'r'))
  into refused
  from json_to_recordset(requests) as r (i int, s text, x json)
  cross join lateral json_array_elements(r.x) letter
  where (r.i in (select unnest(admitted))) is true;
  if refused is not null then perform ec.record_dead_letters(refused); end if;

  -- Coarsely: a row per request would cost more than the reading.
  update public.device_credentials c
  set first_used_at = coalesce(c.first_used_at, clock_timestamp()), last_used_at = clock_timestamp()
  where c.id in (
    select u.id from public.device_credentials u
    where u.id = any (credentials) and (u.last_used_at is null or u.last_used_at < clock_timestamp() - interval '5 minutes')
    order by u.id for no key update skip locked);

  return (
    select jsonb_agg(jsonb_build_object('i', r.i, 'ok', r.ok,
      'accepted', r.sent - r.duplicate - r.bad, 'duplicate', r.duplicate, 'rejected', r.bad + r.refused,
      'reboot', (r.i = any (restarts)) is true) order by r.o)
    from (
      select q.i, q.o, (q.i in (select unnest(admitted))) is true as ok,
        coalesce(c.sent, 0) as sent, coalesce(c.duplicate, 0) as duplicate, coalesce(c.bad, 0) as bad,
        case when (q.i in (select unnest(admitted))) is true then coalesce(json_array_length(q.x), 0) else 0 end as refused
      from rows from (json_to_recordset(requests) as (i int, x json)) with ordinality as q (i, x, o)
      left join (
        select w.i, count(*) as sent, count(*) filter (where w.n - 1 in (select d::int from jsonb_array_elements(outcome -> 'duplicates') d)) as duplicate,
          count(*) filter (where w.n - 1 in (select (d -> 'i')::int from jsonb_array_elements(outcome -> 'rejects') d)) as bad
        from unnest(owners) with ordinality as w (i, n)
        group by w.i
      ) c on c.i = q.i
    ) r);
end
$function$;
grant execute on function ec.ingest_device_requests(json) to ec_api;
comment on function ec.ingest_device_requests(json) is 'The HTTPS door: authenticates and stores a group of requests';

CREATE OR REPLACE FUNCTION ec.ingest_distinct(items jsonb, door text, careful boolean, OUT accepted integer, OUT conflicts integer[], OUT unknown integer[], OUT rest integer[], OUT device_nums integer[], OUT minutes integer[], OUT first_time integer[], OUT waiting integer[], OUT versions integer[], OUT boots jsonb)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  with parsed as materialized (
    select p.i, p.s, p.d, p.q,
      coalesce(p.dup, false) and p.t is null as redelivered,
      to_timestamp(p.r::float8 / 1e6) as received_at,
      to_timestamp(coalesce(p.t::float8 / 1e3, p.r::float8 / 1e6)) as ts,
      case when jsonb_typeof(p.d -> 'temp') = 'number' then (p.d -> 'temp')::float8 end as temp,
      case when jsonb_typeof(p.d -> 'hum') = 'number' then (p.d -> 'hum')::float8 end as hum,
      case when jsonb_typeof(p.d -> 'co2') = 'number' then (p.d -> 'co2')::float8 end as co2,
      case when jsonb_typeof(p.d -> 'bat') = 'number' then (p.d -> 'bat')::float8 end as bat,
      row_number() over (partition by p.s order by p.i) as nth
    from jsonb_to_recordset(items) as p (i int, s text, d jsonb, r bigint, t bigint, q bigint, dup bool)
  ), held as materialized (
    select p.i, p.d, p.q, p.redelivered, p.received_at, p.ts, p.temp, p.hum, p.co2, p.bat,
      s.device_num, s.product_type, s.active, s.pending, f.newest, f.same_keys,
      f.named, f.named <> coalesce(s.fw_version, '') as other_version,
      -- Less uptime than before, or than the pause since then; without an uptime, the first packet of a session.
      case when not f.newest then false
        when p.d ? 'uptime' then p.d -> 'uptime' < s.reported -> 'uptime' and jsonb_typeof(p.d -> 'uptime') = 'number'
            and jsonb_typeof(s.reported -> 'uptime') = 'number'
          or p.ts > s.reported_at + interval '1 minute'
          and ec.has_restarted(p.d, p.ts, s.reported, s.reported_at)
        else p.d ? 'reboot_reason' and s.connected_changed_at > s.last_telemetry_at
      end as booted, s.reported -> 'uptime' as former_uptime,
      coalesce(e.org_num, s.org_num) as org_num, coalesce(e.tenure_id, s.tenure_id) as tenure_id,
      -- The running sums only pick who is looked at; the mean that counts is summed from the window itself.
      case when f.newest and (
        cardinality(s.w_temp) = 29 and abs(p.temp * 29 - s.s_temp) >= 0.1999 * abs(s.s_temp)
        or cardinality(s.w_hum) = 29 and abs(p.hum * 29 - s.s_hum) >= 0.1999 * abs(s.s_hum)
        or cardinality(s.w_co2) = 29 and abs(p.co2 * 29 - s.s_co2) >= 0.1999 * abs(s.s_co2)
        or cardinality(s.w_bat) = 29 and abs(p.bat * 29 - s.s_bat) >= 0.1999 * abs(s.s_bat)
      ) then row(
        case when cardinality(s.w_temp) = 29 and abs(p.temp * 29 - s.s_temp) >= 0.1999 * abs(s.s_temp) then s.w_temp end,
        case when cardinality(s.w_hum) = 29 and abs(p.hum * 29 - s.s_hum) >= 0.1999 * abs(s.s_hum) then s.w_hum end,
        case when cardinality(s.w_co2) = 29 and abs(p.co2 * 29 - s.s_co2) >= 0.1999 * abs(s.s_co2) then s.w_co2 end,
        case when cardinality(s.w_bat) = 29 and abs(p.bat * 29 - s.s_bat) >= 0.1999 * abs(s.s_bat) then s.w_bat end
      )::ec.reading_windows end as suspect
    from parsed p
    join public.device_state s on s.serial = p.s
    cross join lateral (
      select (s.reported_at is null or p.ts > s.reported_at) and p.ts >= s.tenure_started_at as newest,
        p.d ?& s.packet_keys and p.d - s.packet_keys = '{}' as same_keys,
        -- A version counts by its own time: a packet that is late as a reading may be the first to name it.
        case when p.d ?| '{fw_version,fw}' and p.ts >= s.tenure_started_at and (p.ts > s.named_version_at) is not false
          and jsonb_typeof(coalesce(p.d -> 'fw_version', p.d -> 'fw')) in ('string', 'number')
          then nullif(left(btrim(coalesce(p.d ->> 'fw_version', p.d ->> 'fw')), 64), '') end as named
    ) f
    left join lateral (
      -- A reading from before the tenure belongs to whoever held the device then.
      select t.id as tenure_id, o.num as org_num
      from public.device_tenures t join public.orgs o on o.id = t.org_id
      where p.ts < s.tenure_started_at and t.device_id = s.device_id
      order by t.started_at <= p.ts desc, case when t.started_at <= p.ts then t.started_at end desc, t.started_at
      limit 1
    ) e on true
    where p.nth <= 1
    order by s.device_num
    for no key update of s
  ), stored_newest as (
    insert into public.telemetry (device_num, ts, received_at, org_num, tenure_id, seq, data)
    select h.device_num, h.ts, h.received_at, h.org_num, h.tenure_id, h.q, h.d
    from held h
    where h.newest and not h.redelivered and not careful
    returning device_num, ts
  ), stored_late as (
    insert into public.telemetry (device_num, ts, received_at, org_num, tenure_id, seq, data)
    select h.device_num, h.ts, h.received_at, h.org_num, h.tenure_id, h.q, h.d
    from held h
    where (not h.newest or careful) and not h.redelivered
    on conflict do nothing
    returning device_num, ts
  ), stored as materialized (
    select n.device_num, n.ts from stored_newest n union all select l.device_num, l.ts from stored_late l
  ), written as (
    update public.device_state s set
      last_seen = greatest(s.last_seen, h.received_at),
      last_telemetry_at = greatest(s.last_telemetry_at, h.received_at),
      last_door = door,
      active = true,
      connected = s.connected or door = 'mqtt' and h.received_at >= coalesce(s.connected_changed_at, h.received_at),
      connected_changed_at = case
        when not s.connected and door = 'mqtt' and h.received_at >= coalesce(s.connected_changed_at, h.received_at)
          then h.received_at else s.connected_changed_at end,
      reported = case when not h.newest then s.reported when h.same_keys and s.older = '{}' then h.d
        else s.reported || h.d end,
      reported_at = case when h.newest then h.ts else s.reported_at end,
      reported_version = s.reported_version + h.newest::int,
      older = case when not h.newest or h.same_keys then s.older
        else ec.older_times(s.reported, s.reported_at, s.older, h.d) end,
      packet_keys = case when not h.newest or h.same_keys then s.packet_keys
        else array(select jsonb_object_keys(h.d)) end,
      last_seq = case when h.newest then coalesce(h.q, s.last_seq) else s.last_seq end,
      named_version = coalesce(h.named, s.named_version),
      named_version_at = case when h.named is null then s.named_version_at else h.ts end,
      w_temp = case when not h.newest or h.temp is null then s.w_temp
        when cardinality(s.w_temp) < 29 then s.w_temp || h.temp else s.w_temp[2:29] || h.temp end,
      s_temp = case when not h.newest or h.temp is null then s.s_temp when cardinality(s.w_temp) < 29 then s.s_temp + h.temp
        when s.reported_version % 64 = 0 or abs(s.w_temp[1]) > 1e6 then ec.sum_of(s.w_temp[2:29]) + h.temp
        else s.s_temp + h.temp - s.w_temp[1] end,
      w_hum = case when not h.newest or h.hum is null then s.w_hum
        when cardinality(s.w_hum) < 29 then s.w_hum || h.hum else s.w_hum[2:29] || h.hum end,
      s_hum = case when not h.newest or h.hum is null then s.s_hum when cardinality(s.w_hum) < 29 then s.s_hum + h.hum
        when s.reported_version % 64 = 0 or abs(s.w_hum[1]) > 1e6 then ec.sum_of(s.w_hum[2:29]) + h.hum
        else s.s_hum + h.hum - s.w_hum[1] end,
      w_co2 = case when not h.newest or h.co2 is null then s.w_co2
        when cardinality(s.w_co2) < 29 then s.w_co2 || h.co2 else s.w_co2[2:29] || h.co2 end,
      s_co2 = case when not h.newest or h.co2 is null then s.s_co2 when cardinality(s.w_co2) < 29 then s.s_co2 + h.co2
        when s.reported_version % 64 = 0 or abs(s.w_co2[1]) > 1e6 then ec.sum_of(s.w_co2[2:29]) + h.co2
        else s.s_co2 + h.co2 - s.w_co2[1] end,
      w_bat = case when not h.newest or h.bat is null then s.w_bat
        when cardinality(s.w_bat) < 29 then s.w_bat || h.bat else s.w_bat[2:29] || h.bat end,
      s_bat = case when not h.newest or h.bat is null then s.s_bat when cardinality(s.w_bat) < 29 then s.s_bat + h.bat
        when s.reported_version % 64 = 0 or abs(s.w_bat[1]) > 1e6 then ec.sum_of(s.w_bat[2:29]) + h.bat
        else s.s_bat + h.bat - s.w_bat[1] end
    from held h
    where s.device_num = h.device_num and (h.device_num in (select stored.device_num from stored)) is true
  ), deviated as (
    insert into public.deviations (device_num, org_num, tenure_id, metric, ts, value, mean, pct)
    select h.device_num, h.org_num, h.tenure_id, c.metric, h.ts, c.reading, m.mean, p.pct
    from held h
    cross join lateral (values
      ('temp', h.temp, (h.suspect).w_temp), ('hum', h.hum, (h.suspect).w_hum), ('co2', h.co2, (h.suspect).w_co2), ('bat', h.bat, (h.suspect).w_bat)
    ) as c (metric, reading, readings)
    join public.metric_definitions d on d.product_type = h.product_type and d.key = c.metric and d.watched
    cross join lateral (select sum(r.v) / 29 from unnest(c.readings) as r (v)) as m (mean)
    cross join lateral (select 100 * (c.reading - m.mean) / nullif(greatest(abs(m.mean), d.min_denominator), 0)) as p (pct)
    where not h.suspect is null and (h.device_num in (select stored.device_num from stored)) is true
      and c.readings is not null and abs(c.reading - m.mean) >= d.min_deviation and abs(p.pct) >= 20
  )
  select k.n, k.nums, k.mins,
    case when h.actives < h.fresh + h.redelivered then (select array_agg(x.device_num) from held x
      where not x.active and (x.device_num in (select stored.device_num from stored)) is true) end,
    case when h.pending > 0 then (select array_agg(x.device_num) from held x where x.pending) end,
    case when h.other_version > 0 then (select array_agg(x.device_num) from held x where x.other_version) end,
    case when h.booted > 0 then (select jsonb_agg(ec.boot_of(x.device_num, x.ts, x.d, x.former_uptime)) from held x where x.booted
      and (x.device_num in (select stored.device_num from stored)) is true) end,
    case when k.n < h.fresh then array(select x.i from held x
      where not x.redelivered and (x.device_num in (select stored.device_num from stored)) is not true) end,
    case when h.fresh + h.redelivered < p.serials then array(select x.i from parsed x
      where not exists (select from public.device_state s where s.serial = x.s)) end,
    case when p.n > p.serials or h.redelivered > 0 then array(select x.i from parsed x
      where (x.nth > 1 or x.redelivered) and exists (select from public.device_state s where s.serial = x.s)) end
  into accepted, device_nums, minutes, first_time, waiting, versions, boots, conflicts, unknown, rest
  from (
    select count(*)::int, array_agg(device_num), array_agg(floor(extract(epoch from ts)::float8 / 60)::int) from stored
  ) as k (n, nums, mins), (
    select count(*) filter (where not redelivered), count(*) filter (where redelivered), count(*) filter (where active),
      count(*) filter (where pending), count(*) filter (where other_version), count(*) filter (where booted)
    from held
  ) as h (fresh, redelivered, actives, pending, other_version, booted), (
    select count(*), count(*) filter (where nth = 1) from parsed
  ) as p (n, serials);
end
$function$;
comment on function ec.ingest_distinct(jsonb,text,boolean) is 'Stores the first packet of every device in a batch; internal to ec.ingest_telemetry';

CREATE OR REPLACE FUNCTION ec.ingest_halves(batch json, door text, reason text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  items json[] := array(select json_array_elements(batch));
  n int := cardinality(items);
  first_half jsonb;
  second_half jsonb;
begin
  if n > 1 then
    -- Locked in the order every other call locks in.
    perform from public.device_state s
      where s.serial in (select ec.item_serial(item) from unnest(items) item) order by s.device_num for no key update;
    first_half := ec.ingest_telemetry((select json_agg(item order by o) from unnest(items[:n / 2]) with ordinality x (item, o)), door);
    second_half := ec.ingest_telemetry((select json_agg(item order by o) from unnest(items[n / 2 + 1:]) with ordinality x (item, o)), door);
    return jsonb_build_object(
      'accepted', (first_half -> 'accepted')::int + (second_half -> 'accepted')::int,
      'duplicate', (first_half -> 'duplicate')::int + (second_half -> 'duplicate')::int,
      'rejected', (first_half -> 'rejected')::int + (second_half -> 'rejected')::int,
      'duplicates', (first_half -> 'duplicates') || (second_half -> 'duplicates'),
      'rejects', (first_half -> 'rejects') || (second_half -> 'rejects'));
  end if;

  insert into public.dead_letters (org_id, device_id, serial, door, reason, detail, payload, payload_bytes)
  select d.org_id, d.id, ec.item_serial(items[1]), door, 'bad_value', left(reason, 500), left(items[1]::text, 2000), octet_length(items[1]::text)
  from (select) as one left join public.devices d on d.serial = ec.item_serial(items[1]);
  return jsonb_build_object('accepted', 0, 'duplicate', 0, 'rejected', 1, 'duplicates', '[]'::jsonb,
    'rejects', jsonb_build_array(jsonb_build_object(
      'i', substring(items[1]::text from '^\s*{\s*"i"\s*:\s*(\d+)')::int, 'reason', 'bad_value')));
end
$function$;

CREATE OR REPLACE FUNCTION ec.ingest_packets(items jsonb, door text, careful boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  todo jsonb;
  turn jsonb;
  turn_items int[];
  collided int[];
  fast record;
  slow record;
  accepted int := 0;
  duplicates int[] := '{}';
  unknown int[];
  nums int[];
  mins int[];
  firsts int[];
  waiting int[];
  versions int[];
  boots jsonb;
begin
  select * into fast from ec.ingest_distinct(items, door, careful);
  accepted := fast.accepted; nums := fast.device_nums; mins := fast.minutes; firsts := fast.first_time;
  -- The first call has met every device of the batch.
  waiting := fast.waiting; versions := fast.versions; boots := fast.boots;
  unknown := coalesce(fast.unknown, '{}');
  if fast.rest is not null then
    todo := ec.spread_arrivals(items, fast.rest);
  end if;
  turn := items;

  loop
    if cardinality(fast.conflicts) > 0 then
      collided := ec.find_collided(turn, fast.conflicts);
      duplicates := duplicates || array(select unnest(fast.conflicts) except select unnest(collided));
      todo := coalesce(todo, '[]') || coalesce(ec.pick_items(turn, collided, 1), '[]');
    end if;
    exit when todo is null or jsonb_array_length(todo) = 0;

    -- Devices with a re-delivered packet go one packet at a time: what it is compared with includes the
    -- packets before it in the batch.
    select array_agg(p.i) filter (where p.nth = 1) into turn_items
    from (
      select j.i, bool_or(coalesce(j.dup, false)) over device as marked,
        row_number() over (partition by j.s order by j.i) as nth
      from jsonb_to_recordset(todo) as j (i int, s text, dup bool)
      window device as (partition by j.s)
    ) p
    where p.marked;

    if turn_items is not null then
      turn := ec.pick_items(todo, turn_items);
      todo := ec.pick_items(todo, array(select (e ->> 'i')::int from jsonb_array_elements(todo) e except select unnest(turn_items)));
      collided := ec.find_redelivered((select jsonb_agg(e) from jsonb_array_elements(turn) e where e -> 'dup' = 'true' and e ->> 't' is null));
      duplicates := duplicates || collided;
      turn := coalesce(ec.pick_items(turn, array(select unnest(turn_items) except select unnest(collided)), 0, true), '[]');
      select * into fast from ec.ingest_distinct(turn, door, true);
      accepted := accepted + fast.accepted; nums := nums || fast.device_nums; mins := mins || fast.minutes; firsts := firsts || fast.first_time;
      versions := versions || fast.versions; boots := coalesce(boots || fast.boots, boots, fast.boots);
    else
      turn := todo;
      select * into slow from ec.ingest_runs(turn, door);
      accepted := accepted + slow.accepted; nums := nums || slow.device_nums; mins := mins || slow.minutes; firsts := firsts || slow.first_time;
      versions := versions || slow.versions; boots := coalesce(boots || slow.boots, boots, slow.boots);
      todo := ec.pick_items(turn, slow.collided, 1);
      fast.conflicts := slow.conflicts;
    end if;
  end loop;

  if nums is not null then
    insert into ec.ingest_log (device_nums, minutes) values (nums, mins);
    if firsts is not null then perform ec.mark_first_packet(firsts); end if;
    if exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
      perform ec.broadcast_devices(nums);
    end if;
  end if;
  if unknown <> '{}' then
    perform ec.reject_unknown(ec.pick_items(items, unknown), door);
  end if;

  if boots is not null then perform private.note_boots(boots); end if;
  -- Who is awaited may have to say which version it runs more than once.
  versions := versions || waiting;
  if versions is not null then perform private.note_versions(versions, false); end if;
  if waiting is not null and door = 'mqtt' then perform ec.deliver_commands(waiting); end if;

  return jsonb_build_object(
    'accepted', accepted, 'duplicate', cardinality(duplicates), 'rejected', cardinality(unknown),
    'duplicates', to_jsonb(array(select unnest(duplicates) order by 1)),
    'rejects', (select coalesce(jsonb_agg(jsonb_build_object('i', i, 'reason', 'unknown_device') order by i), '[]') from unnest(unknown) i))
    || case when waiting is null or door = 'mqtt' then '{}' else jsonb_build_object('waiting', to_jsonb(waiting)) end;
end
$function$;

CREATE OR REPLACE FUNCTION ec.ingest_runs(items jsonb, door text, OUT accepted integer, OUT conflicts integer[], OUT collided integer[], OUT device_nums integer[], OUT minutes integer[], OUT first_time integer[], OUT versions integer[], OUT boots jsonb)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  with parsed as materialized (
    select p.i, p.d, p.q, p.t is null as timeless, p.received_at, p.ts,
      case when jsonb_typeof(p.d -> 'temp') = 'number' then (p.d -> 'temp')::float8 end as temp,
      case when jsonb_typeof(p.d -> 'hum') = 'number' then (p.d -> 'hum')::float8 end as hum,
      case when jsonb_typeof(p.d -> 'co2') = 'number' then (p.d -> 'co2')::float8 end as co2,
      case when jsonb_typeof(p.d -> 'bat') = 'number' then (p.d -> 'bat')::float8 end as bat,
      s.device_num, s.reported_at, p.ts >= s.tenure_started_at as in_tenure,
      p.d ?& s.packet_keys and p.d - s.packet_keys = '{}' as same_keys,
      coalesce(e.org_num, s.org_num) as org_num, coalesce(e.tenure_id, s.tenure_id) as tenure_id,
      row_number() over (partition by s.device_num, p.ts order by p.i) as nth
    from (
      select r.i, r.s, r.d, r.q, r.t, to_timestamp(r.r::float8 / 1e6) as received_at,
        to_timestamp(coalesce(r.t::float8 / 1e3, r.r::float8 / 1e6)) as ts
      from jsonb_to_recordset(items) as r (i int, s text, d jsonb, r bigint, t bigint, q bigint)
    ) p
    join public.device_state s on s.serial = p.s
    left join lateral (
      -- A reading from before the tenure belongs to whoever held the device then.
      select t.id as tenure_id, o.num as org_num
      from public.device_tenures t join public.orgs o on o.id = t.org_id
      where p.ts < s.tenure_started_at and t.device_id = s.device_id
      order by t.started_at <= p.ts desc, case when t.started_at <= p.ts then t.started_at end desc, t.started_at
      limit 1
    ) e on true
  ), stored as (
    insert into public.telemetry (device_num, ts, received_at, org_num, tenure_id, seq, data)
    select p.device_num, p.ts, p.received_at, p.org_num, p.tenure_id, p.q, p.d from parsed p where p.nth = 1
    on conflict do nothing
    returning device_num, ts
  ), accepted_items as materialized (
    select p.*, p.in_tenure
      and coalesce(p.ts > greatest(p.reported_at, max(p.ts) filter (where p.in_tenure) over before), true) as newest
    from parsed p
    where p.nth = 1 and ((p.device_num, p.ts) in (select stored.device_num, stored.ts from stored)) is true
    window before as (partition by p.device_num order by p.i rows between unbounded preceding and 1 preceding)
  ), named as materialized (
    select distinct on (n.device_num) n.device_num, n.ts, private.named_version(n.d) as version
    from accepted_items n
    where n.d ?| '{fw_version,fw}' and n.in_tenure and private.named_version(n.d) is not null
    order by n.device_num, n.ts desc
  ), booted as (
    select a.device_num, a.i, a.ts, a.d, f.before -> 'uptime' as former_uptime
    from (
      select n.device_num, n.i, n.ts, n.d, lag(n.d) over packets as before, lag(n.ts) over packets as before_at
      from accepted_items n where n.newest and n.d ? 'uptime'
      window packets as (partition by n.device_num order by n.i)
    ) a
    left join public.device_state s on a.before is null and s.device_num = a.device_num
    cross join lateral (select coalesce(a.before, s.reported) as before, coalesce(a.before_at, s.reported_at) as before_at) f
    where a.d -> 'uptime' < f.before -> 'uptime' and jsonb_typeof(a.d -> 'uptime') = 'number' and jsonb_typeof(f.before -> 'uptime') = 'number'
      or ec.has_restarted(a.d, a.ts, f.before, f.before_at)
  ), moving as materialized (
    -- How many readings of each metric its device has in this batch, up to and with this packet.
    select a.device_num, a.i, a.ts, a.org_num, a.tenure_id, a.temp, a.hum, a.co2, a.bat,
      count(a.temp) over upto as n_temp, count(a.hum) over upto as n_hum, count(a.co2) over upto as n_co2, count(a.bat) over upto as n_bat
    from accepted_items a
    where a.newest
    window upto as (partition by a.device_num order by a.i)
  ), moves as materialized (
    select a.device_num, max(a.ts) as reported_at, count(*) as n, bool_and(a.same_keys) as same_keys,
      (array_agg(a.d order by a.i desc))[1] as last_packet,
      (array_agg(a.q order by a.i desc) filter (where a.q is not null))[1] as last_seq,
      array_agg(a.temp order by a.i) filter (where a.temp is not null) as temp,
      array_agg(a.hum order by a.i) filter (where a.hum is not null) as hum,
      array_agg(a.co2 order by a.i) filter (where a.co2 is not null) as co2,
      array_agg(a.bat order by a.i) filter (where a.bat is not null) as bat
    from accepted_items a
    where a.newest
    group by a.device_num
  ), series as materialized (
    -- The stored window with the new readings behind it.
    select m.device_num, s.product_type,
      s.w_temp || m.temp as temp, cardinality(s.w_temp) as c_temp,
      s.w_hum || m.hum as hum, cardinality(s.w_hum) as c_hum,
      s.w_co2 || m.co2 as co2, cardinality(s.w_co2) as c_co2,
      s.w_bat || m.bat as bat, cardinality(s.w_bat) as c_bat
    from moves m join public.device_state s on s.device_num = m.device_num
  ), merges as materialized (
    -- Key by key only where the shape of packets changed. Of equal keys jsonb_object_agg keeps the last.
    select a.device_num, jsonb_object_agg(e.key, e.value order by a.i) as document,
      jsonb_object_agg(e.key, ec.iso_time(a.ts) order by a.i) as times
    from accepted_items a cross join lateral jsonb_each(a.d) as e
    where a.newest and (a.device_num in (select m.device_num from moves m where not m.same_keys)) is true
    group by a.device_num
  ), arrivals as materialized (
    select a.device_num, max(a.received_at) as last_seen,
      (array_agg(a.received_at order by a.i) filter (where a.received_at >= coalesce(s.connected_changed_at, a.received_at)))[1] as connects_at
    from accepted_items a
    join public.device_state s on s.device_num = a.device_num
    group by a.device_num
  ), written as (
    update public.device_state s set
      last_seen = greatest(s.last_seen, a.last_seen),
      last_telemetry_at = greatest(s.last_telemetry_at, a.last_seen),
      last_door = door,
      active = true,
      connected = s.connected or door = 'mqtt' and a.connects_at is not null,
      connected_changed_at = case when not s.connected and door = 'mqtt' then coalesce(a.connects_at, s.connected_changed_at)
        else s.connected_changed_at end,
      reported = case when m.device_num is null then s.reported else s.reported || coalesce(g.document, m.last_packet) end,
      reported_at = greatest(s.reported_at, m.reported_at),
      reported_version = s.reported_version + coalesce(m.n, 0),
      older = case when g.device_num is null then s.older
        else ec.older_times(s.reported || g.document, s.reported_at, s.older || g.times, m.last_packet) end,
      packet_keys = case when g.device_num is null then s.packet_keys else array(select jsonb_object_keys(m.last_packet)) end,
      last_seq = coalesce(m.last_seq, s.last_seq),
      named_version = case when v.ts > coalesce(s.named_version_at, '-infinity') then v.version else s.named_version end,
      named_version_at = greatest(s.named_version_at, v.ts),
      w_temp = coalesce(x.temp[greatest(cardinality(x.temp) - 28, 1):], s.w_temp), s_temp = ec.sum_of(coalesce(x.temp[greatest(cardinality(x.temp) - 28, 1):], s.w_temp)),
      w_hum = coalesce(x.hum[greatest(cardinality(x.hum) - 28, 1):], s.w_hum), s_hum = ec.sum_of(coalesce(x.hum[greatest(cardinality(x.hum) - 28, 1):], s.w_hum)),
      w_co2 = coalesce(x.co2[greatest(cardinality(x.co2) - 28, 1):], s.w_co2), s_co2 = ec.sum_of(coalesce(x.co2[greatest(cardinality(x.co2) - 28, 1):], s.w_co2)),
      w_bat = coalesce(x.bat[greatest(cardinality(x.bat) - 28, 1):], s.w_bat), s_bat = ec.sum_of(coalesce(x.bat[greatest(cardinality(x.bat) - 28, 1):], s.w_bat))
    from arrivals a
    left join moves m on m.device_num = a.device_num
    left join series x on x.device_num = a.device_num
    left join merges g on g.device_num = a.device_num
    left join named v on v.device_num = a.device_num
    where s.device_num = a.device_num
  ), deviated as (
    insert into public.deviations (device_num, org_num, tenure_id, metric, ts, value, mean, pct)
    select x.device_num, x.org_num, x.tenure_id, c.metric, x.ts, c.reading, c.mean, p.pct
    from (
      -- Fenced: row counts here are guesses, and sums taken before this join are taken for every pair.
      select i.device_num, i.org_num, i.tenure_id, i.ts, i.temp as new_temp, i.hum as new_hum, i.co2 as new_co2, i.bat as new_bat,
        i.n_temp, i.n_hum, i.n_co2, i.n_bat, w.product_type, w.temp, w.hum, w.co2, w.bat, w.c_temp, w.c_hum, w.c_co2, w.c_bat
      from moving i join series w on w.device_num = i.device_num
      offset 0
    ) x
    cross join lateral (
      select 'temp', x.new_temp, (select sum(r.v) / 29 from unnest(x.temp[x.c_temp + x.n_temp - 29:x.c_temp + x.n_temp - 1]) as r (v))
      where x.new_temp is not null and x.c_temp + x.n_temp > 29
      union all select 'hum', x.new_hum, (select sum(r.v) / 29 from unnest(x.hum[x.c_hum + x.n_hum - 29:x.c_hum + x.n_hum - 1]) as r (v))
      where x.new_hum is not null and x.c_hum + x.n_hum > 29
      union all select 'co2', x.new_co2, (select sum(r.v) / 29 from unnest(x.co2[x.c_co2 + x.n_co2 - 29:x.c_co2 + x.n_co2 - 1]) as r (v))
      where x.new_co2 is not null and x.c_co2 + x.n_co2 > 29
      union all select 'bat', x.new_bat, (select sum(r.v) / 29 from unnest(x.bat[x.c_bat + x.n_bat - 29:x.c_bat + x.n_bat - 1]) as r (v))
      where x.new_bat is not null and x.c_bat + x.n_bat > 29
    ) as c (metric, reading, mean)
    join public.metric_definitions d on d.product_type = x.product_type and d.key = c.metric and d.watched
    cross join lateral (select 100 * (c.reading - c.mean) / nullif(greatest(abs(c.mean), d.min_denominator), 0)) as p (pct)
    where abs(c.reading - c.mean) >= d.min_deviation and abs(p.pct) >= 20
  )
  select t.n, t.nums, t.mins, f.nums,
    (select array_agg(v.device_num) from named v),
    (select jsonb_agg(ec.boot_of(b.device_num, b.ts, b.d, b.former_uptime) order by b.i) from booted b),
    array(select p.i from parsed p
      where (p.nth = 1 or not p.timeless) and (p.i in (select a.i from accepted_items a)) is not true),
    array(select p.i from parsed p where p.nth > 1 and p.timeless)
  into accepted, device_nums, minutes, first_time, versions, boots, conflicts, collided
  from (
    select sum(g.n)::int, array_agg(g.device_num), array_agg(g.minute)
    from (
      select a.device_num, floor(extract(epoch from a.ts)::float8 / 60)::int as minute, count(*) as n
      from accepted_items a group by 1, 2
    ) g
  ) as t (n, nums, mins), (
    select array_agg(s.device_num) from arrivals a join public.device_state s on s.device_num = a.device_num where not s.active
  ) as f (nums);
  accepted := coalesce(accepted, 0);
end
$function$;
comment on function ec.ingest_runs(jsonb,text) is 'Stores several packets per device of a batch; internal to ec.ingest_telemetry';

CREATE OR REPLACE FUNCTION ec.ingest_telemetry(batch json, door text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
begin
  begin
    return ec.ingest_packets(batch::jsonb, door, false);
  exception when unique_violation then
    return ec.ingest_packets(batch::jsonb, door, true);
  end;
exception when data_exception or program_limit_exceeded or not_null_violation then
  return ec.ingest_halves(batch, door, sqlerrm);
end
$function$;
grant execute on function ec.ingest_telemetry(json,text) to ec_bridge;
comment on function ec.ingest_telemetry(json,text) is 'Stores a batch of packets of any devices; both doors call it';

CREATE OR REPLACE FUNCTION ec.iso_time(at timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO ''
AS $function$ select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $function$;
grant execute on function ec.iso_time(timestamp with time zone) to authenticated;
comment on function ec.iso_time(timestamp with time zone) is 'ISO 8601 UTC with milliseconds, as everything the API sends';

CREATE OR REPLACE FUNCTION ec.item_serial(item json)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select substring(item::text from '^\s*{\s*"i"\s*:\s*\d+\s*,\s*"s"\s*:\s*"([A-Za-z0-9_-]{3,64})"') $function$;

CREATE OR REPLACE FUNCTION ec.kick_mail(at timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  due int;
begin
  select count(*) into due from ec.mail_outbox o
  where o.sent_at is null and o.failed_at is null and o.next_attempt_at <= kick_mail.at
    and (o.claimed_until is null or o.claimed_until <= kick_mail.at);
  if due > 0 then
    perform private.kick_worker('mail');
  end if;
  return due;
end
$function$;
comment on function ec.kick_mail(timestamp with time zone) is 'Cron: the safety net of the kick in the transaction that wrote the mail → how many are due';

CREATE OR REPLACE FUNCTION ec.lease_topics(topics text[])
 RETURNS TABLE(asked text, topic text, expires_at timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  ends_at timestamptz := clock_timestamp() + interval '20 seconds';
begin
  return query
  with wanted as (
    select a.asked, k.kind, k.kind || ':' || o.id || ':' || o.live_epoch as topic, o.id as org_id, o.num as org_num,
      null::int as device_num, null::uuid as job_id
    from (select distinct w from unnest(topics) w) as a (asked)
    cross join lateral (select split_part(a.asked, ':', 1)) as k (kind)
    join public.orgs o on k.kind in ('org', 'bell') and o.id::text = split_part(a.asked, ':', 2)
    union all
    select a.asked, 'job', 'job:' || j.id || ':' || o.live_epoch, o.id, o.num, null, j.id
    from (select distinct w from unnest(topics) w) as a (asked)
    join public.ota_jobs j on a.asked ~* '^job:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' and j.id = substr(a.asked, 5)::uuid
    join public.orgs o on o.id = j.org_id
    union all
    select a.asked, 'device', 'device:' || d.id || ':' || o.live_epoch, o.id, o.num, d.num, null
    from (select distinct w from unnest(topics) w) as a (asked)
    join public.devices d on a.asked like 'device:%' and d.serial = substr(a.asked, 8)
    join public.orgs o on o.id = d.org_id
  ), leased as (
    insert into ec.live_leases as l (topic, kind, org_id, org_num, device_num, job_id, expires_at)
    select w.topic, w.kind, w.org_id, w.org_num, w.device_num, w.job_id, ends_at
    from wanted w where private.can_join_topic(w.topic)
    order by w.topic
    on conflict (topic) do update set expires_at = greatest(l.expires_at, excluded.expires_at)
    returning l.topic, l.expires_at
  )
  select w.asked, l.topic, l.expires_at from leased l join wanted w on w.topic = l.topic order by w.asked;
end
$function$;
grant execute on function ec.lease_topics(text[]) to authenticated;
comment on function ec.lease_topics(text[]) is 'Starts or renews the live broadcast of topics for 20 seconds';

CREATE OR REPLACE FUNCTION ec.list_notifications(org_id uuid, unread boolean DEFAULT false, max integer DEFAULT 50, before_at timestamp with time zone DEFAULT NULL::timestamp with time zone, before_id uuid DEFAULT NULL::uuid)
 RETURNS TABLE(notification jsonb, cursor_at text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me uuid := private.actor_id();
  since timestamptz := private.require_bell(list_notifications.org_id);
begin
  return query
  select private.notification_json(n, m.read), n.created_at::text
  from public.notifications n
  cross join lateral (
    select n.created_at < since or exists (
      select from ec.notification_reads r where r.notification_id = n.id and r.reader_id = me) as read
  ) m
  where n.org_id = list_notifications.org_id and (before_at is null or (n.created_at, n.id) < (before_at, before_id))
    and not (list_notifications.unread and m.read)
  order by n.created_at desc, n.id desc
  limit least(list_notifications.max, 1001);
end
$function$;
grant execute on function ec.list_notifications(uuid,boolean,integer,timestamp with time zone,uuid) to authenticated;
comment on function ec.list_notifications(uuid,boolean,integer,timestamp with time zone,uuid) is 'Newest first, from after the cursor on. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.list_ota_jobs(org_id uuid, state text DEFAULT NULL::text, product_type text DEFAULT NULL::text, before_number integer DEFAULT NULL::integer, max integer DEFAULT 50)
 RETURNS SETOF jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.ota_job_json(j, true) from public.ota_jobs j
  where j.org_id = list_ota_jobs.org_id and j.org_id = any (array(select private.my_org_ids()))
    and (list_ota_jobs.state is null or j.state = list_ota_jobs.state)
    and (list_ota_jobs.product_type is null or j.product_type = list_ota_jobs.product_type)
    and (before_number is null or j.number < before_number)
  order by j.number desc
  limit least(greatest(max, 1), 200)
$function$;
grant execute on function ec.list_ota_jobs(uuid,text,text,integer,integer) to authenticated;
comment on function ec.list_ota_jobs(uuid,text,text,integer,integer) is 'Newest first; without failures and counts by stage, at most 20 serials of each list';

CREATE OR REPLACE FUNCTION ec.list_room_codes(org_id uuid, room_ids uuid[])
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  room public.locations;
  known int;
begin
  perform private.require_org(list_room_codes.org_id, 'invite');
  if coalesce(cardinality(room_ids), 0) not between 1 and 200 then
    perform private.refuse('EC400', 'invalid_request', 'Ask for 1 to 200 rooms in one call.');
  end if;
  select count(*) into known from public.locations l
  where l.id = any (room_ids) and l.org_id = list_room_codes.org_id and l.type = 'room';
  if known < (select count(distinct r) from unnest(room_ids) r) then
    perform private.refuse_missing();
  end if;
  for room in select l.* from public.locations l where l.id = any (room_ids) order by l.id for no key update loop
    if private.room_code_json(room.id) ->> 'code' is null then
      perform private.end_room_code(room.id, 'rotated');
      perform private.new_room_code(room, null);
    end if;
  end loop;
  return (
    select jsonb_agg(jsonb_build_object('room_id', l.id, 'name', l.name,
      'path', nullif(private.location_path(l.id, ' · '), l.name)) || (private.room_code_json(l.id) - 'room_id') order by r.n)
    from unnest(room_ids) with ordinality r (id, n) join public.locations l on l.id = r.id
  );
end
$function$;
grant execute on function ec.list_room_codes(uuid,uuid[]) to authenticated;
comment on function ec.list_room_codes(uuid,uuid[]) is 'For sheets: [{room_id, name, path, code, created_at, expires_at, version}] in the order asked; rooms without a code get one. EC400, EC403, EC404';

CREATE OR REPLACE FUNCTION ec.list_users(q text DEFAULT NULL::text, max integer DEFAULT 100, after_created timestamp with time zone DEFAULT NULL::timestamp with time zone, after_id uuid DEFAULT NULL::uuid)
 RETURNS TABLE(id uuid, email text, full_name text, created_at timestamp with time zone, memberships jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  pattern text := '%' || regexp_replace(coalesce(q, ''), '([\\%_])', '\\\1', 'g') || '%';
begin
  if not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators see all accounts.');
  end if;
  return query
  select x.id, x.email, x.full_name, x.since,
    coalesce((
      select jsonb_agg(private.membership_json(m.id) order by m.created_at, m.id)
      from public.memberships m where m.user_id = x.id and m.ended_at is null
    ), '[]')
  from (
    select u.id, u.email::text as email, p.full_name,
      -- As exact as the API says it, so that a page goes on where the one before ended
      date_trunc('milliseconds', coalesce(u.created_at, p.created_at, '-infinity')) as since
    from auth.users u left join public.profiles p on p.id = u.id
  ) x
  where (q is null or x.email ilike pattern or x.full_name ilike pattern)
    and (after_id is null or (x.since, x.id) < (after_created, after_id))
  order by x.since desc, x.id desc
  limit list_users.max;
end
$function$;
grant execute on function ec.list_users(text,integer,timestamp with time zone,uuid) to authenticated;
comment on function ec.list_users(text,integer,timestamp with time zone,uuid) is 'For administrators, newest first, the next page after (created_at, id) of the last row. EC403';

CREATE OR REPLACE FUNCTION ec.mark_device_authenticated(serial text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select ec.mark_devices_authenticated(array[serial])
$function$;
grant execute on function ec.mark_device_authenticated(text) to ec_api;
grant execute on function ec.mark_device_authenticated(text) to ec_bridge;
grant execute on function ec.mark_device_authenticated(text) to ec_broker;

CREATE OR REPLACE FUNCTION ec.mark_devices_authenticated(serials text[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update public.device_credentials c
  set first_used_at = coalesce(c.first_used_at, now()), last_used_at = now()
  where c.serial = any (serials) and c.revoked_at is null and (c.expires_at is null or c.expires_at > now())
    and (c.last_used_at is null or c.last_used_at < now() - interval '1 minute')
$function$;
grant execute on function ec.mark_devices_authenticated(text[]) to ec_api;
grant execute on function ec.mark_devices_authenticated(text[]) to ec_bridge;
grant execute on function ec.mark_devices_authenticated(text[]) to ec_broker;
comment on function ec.mark_devices_authenticated(text[]) is 'A broker let these in; which of two overlapping secrets was used it cannot say, so both count as used';

CREATE OR REPLACE FUNCTION ec.mark_first_packet(device_nums integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  update public.devices d set
    lifecycle = case when d.lifecycle = 'retired' then d.lifecycle else 'active' end,
    activated_at = coalesce(d.activated_at, clock_timestamp())
  where d.num = any (device_nums) and (d.activated_at is null or d.lifecycle in ('manufactured', 'claimed'));
  update public.device_credentials c set first_used_at = clock_timestamp(), last_used_at = clock_timestamp()
  from public.devices d
  where d.num = any (device_nums) and c.device_id = d.id and c.first_used_at is null and c.revoked_at is null;
end
$function$;

CREATE OR REPLACE FUNCTION ec.mark_offline(now timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  bridge_since timestamptz;
  server_since timestamptz := pg_postmaster_start_time();
  offline int[];
  recovered int[];
begin
  if not pg_try_advisory_xact_lock(hashtext('ec.mark_offline')) then
    return '{"offline": [], "recovered": []}';
  end if;
  select min(h.up_since) into bridge_since from ec.heartbeats h
  where h.source like 'bridge%' and h.beat_at > mark_offline.now - interval '1 minute';

  with back as (
    select s.device_num from public.device_state s
    where s.offline_alerted_at < s.last_seen
    order by s.device_num for no key update skip locked
  ), written as (
    update public.device_state s set offline_alerted_at = null from back b where s.device_num = b.device_num returning s.device_num
  )
  select coalesce(array_agg(w.device_num order by w.device_num), '{}') into recovered from written w;

  with silent as (
    select s.device_num
    from public.device_state s
    join public.devices d on d.id = s.device_id
    join public.product_types t on t.key = s.product_type
    where s.offline_alerted_at is null and s.last_seen is not null and d.lifecycle = 'active'
      and greatest(s.last_seen, case when s.last_door = 'https' then least(server_since, mark_offline.now) else bridge_since end)
        <= mark_offline.now - greatest(interval '15 minutes', make_interval(secs => coalesce(d.online_window_s, t.online_window_s)))
      and (s.last_door = 'https' or bridge_since is not null)
    order by s.device_num for no key update of s skip locked
  ), written as (
    update public.device_state s set offline_alerted_at = mark_offline.now
    from silent b where s.device_num = b.device_num returning s.device_num
  )
  select coalesce(array_agg(w.device_num order by w.device_num), '{}') into offline from written w;
  return jsonb_build_object('offline', to_jsonb(offline), 'recovered', to_jsonb(recovered));
end
$function$;
grant execute on function ec.mark_offline(timestamp with time zone) to ec_worker;
comment on function ec.mark_offline(timestamp with time zone) is 'Marks outages that began and ended';

CREATE OR REPLACE FUNCTION ec.me()
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if private.actor_kind() = 'api_key' then
    return (
      select jsonb_build_object('kind', 'api_key', 'id', k.id, 'name', k.name, 'org_id', k.org_id, 'scopes', k.scopes)
      from private.my_api_key() k
    );
  elsif private.actor_kind() is distinct from 'user' then
    perform private.refuse('EC403', 'forbidden', 'Only people and API keys have an account.');
  end if;
  return ec.ensure_profile() || jsonb_build_object(
    'kind', 'user',
    'memberships', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'id', m.id, 'role', m.role,
        'partner_id', m.partner_id, 'partner_name', p.name,
        'org_id', m.org_id, 'org_name', o.name, 'org_slug', o.slug,
        'location_id', m.location_id, 'location_name', l.name
      ) order by array_position(
        array['admin', 'partner', 'org_admin', 'operator', 'viewer', 'customer', 'tenant'], m.role), m.created_at), '[]')
      from private.my_memberships() m
      left join public.partners p on p.id = m.partner_id
      left join public.orgs o on o.id = m.org_id
      left join public.locations l on l.id = m.location_id
    ));
end
$function$;
grant execute on function ec.me() to authenticated;
comment on function ec.me() is 'A person: profile + live memberships, the widest first; an API key: {kind, id, name, org_id, scopes}. EC401, EC403';

CREATE OR REPLACE FUNCTION ec.next_day_start(day_start timestamp with time zone, zone text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$ select (date_trunc('day', day_start at time zone zone) + interval '1 day') at time zone zone $function$;

CREATE OR REPLACE FUNCTION ec.note_signs(serials text[], arrivals timestamp with time zone[])
 RETURNS integer[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION ec.older_times(reported jsonb, reported_at timestamp with time zone, older jsonb, packet jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO ''
AS $function$
  select coalesce(jsonb_object_agg(key, coalesce(older -> key, to_jsonb(ec.iso_time(reported_at)))), '{}')
  from jsonb_object_keys(reported) as key
  where not packet ? key
$function$;

CREATE OR REPLACE FUNCTION ec.pause_ota_job(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  job public.ota_jobs := private.lock_job(job_id, '{running}');
begin
  perform from public.ota_job_devices e where e.job_id = job.id and e.state = 'queued' and e.released order by e.id for update;
  perform private.withdraw_messages(array(
    select e.outbox_id from public.ota_job_devices e where e.job_id = job.id and e.state = 'queued' and e.outbox_id is not null));
  update public.ota_jobs j set state = 'paused' where j.id = job.id returning j.* into job;
  perform private.log_job(job, 'paused', jsonb_build_object('by', private.actor_label()));
  perform private.audit_job(job, 'ota_job_paused');
  return private.ota_job_and_failures(job);
end
$function$;
grant execute on function ec.pause_ota_job(uuid) to authenticated;
comment on function ec.pause_ota_job(uuid) is 'Action ota: nobody new begins → the job. EC403, EC404, EC409 {state}';

CREATE OR REPLACE FUNCTION ec.pick_items(items jsonb, wanted integer[], later integer DEFAULT 0, plain boolean DEFAULT false)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select jsonb_agg(case when later > 0 then jsonb_set(e, '{r}', to_jsonb((e ->> 'r')::bigint + later)) else e end
    - case when plain then 'dup' else '' end)
  from jsonb_array_elements(items) as e
  where ((e ->> 'i')::int in (select unnest(wanted))) is true
$function$;

CREATE OR REPLACE FUNCTION ec.preview_claim(serial text, code_sha256 bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  hit record;
  state text;
begin
  select d.id, d.serial, d.org_id, d.maker_org_id, d.customer_id, p.key, p.name, c.ended_reason, c.expires_at into hit
  from public.claim_codes c
  join public.devices d on d.id = c.device_id
  join public.product_types p on p.key = d.product_type
  where c.code_sha256 = preview_claim.code_sha256 and d.serial = preview_claim.serial;
  if hit.id is null then
    perform private.refuse_missing();
  end if;
  state := private.claim_state(hit.ended_reason, hit.expires_at);
  if state = 'used' and (hit.customer_id = private.my_user_id() or private.can(hit.org_id, 'read')) then
    state := 'yours';
  end if;
  return jsonb_build_object(
    'state', state, 'serial', hit.serial, 'product_type', jsonb_build_object('key', hit.key, 'name', hit.name),
    -- An old sticker does not say who has the device today.
    'org', private.org_face(case when state in ('claimable', 'expired', 'yours') then hit.org_id else hit.maker_org_id end));
end
$function$;
grant execute on function ec.preview_claim(text,bytea) to authenticated;
comment on function ec.preview_claim(text,bytea) is 'What a scanned code stands for, signed in or not → {state, serial, product_type, org}. EC404';

CREATE OR REPLACE FUNCTION ec.preview_invitation(token_sha256 bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  invitation public.invitations := private.require_invitation(token_sha256);
begin
  return jsonb_build_object(
    'state', private.invitation_state(invitation.accepted_at, invitation.revoked_at, invitation.expires_at),
    'email', invitation.email, 'role', invitation.role, 'org', private.org_face(invitation.org_id),
    'partner', private.partner_face(invitation.partner_id), 'expires_at', invitation.expires_at);
end
$function$;
grant execute on function ec.preview_invitation(bytea) to authenticated;
comment on function ec.preview_invitation(bytea) is 'Signed in or not, whoever has the token → {state, email, role, org, partner, expires_at}. EC404';

CREATE OR REPLACE FUNCTION ec.preview_ota_job(org_id uuid, input jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  job jsonb;
  firmware public.firmware;
  named record;
  plan record;
  number int;
begin
  perform private.require_org(preview_ota_job.org_id, 'ota');
  job := private.read_job_input(input);
  firmware := private.usable_firmware(preview_ota_job.org_id, (job ->> 'firmware_id')::uuid);
  named := private.ota_targets(preview_ota_job.org_id, job -> 'target');
  number := private.next_job_number(preview_ota_job.org_id);
  plan := private.plan_job(firmware, named.device_ids, job, number);
  return jsonb_build_object(
    'number', number,
    'firmware', jsonb_build_object('id', firmware.id, 'version', firmware.version, 'product_type', firmware.product_type,
      'size', firmware.size, 'chip', firmware.chip),
    'stages', plan.stages,
    'targeted', (select count(*) from unnest(plan.places) p where p.reason is null),
    'excluded', (select count(*) from unnest(plan.places) p where p.reason is not null) + cardinality(named.missing),
    'reasons', private.reason_counts(plan.places)
      || case when named.missing = '{}' then '{}' else jsonb_build_object('not_found', cardinality(named.missing)) end,
    'devices', (
      select coalesce(jsonb_agg(to_jsonb(x) - 'sort' order by x.sort, x.stage, x.serial), '[]')
      from (
        select m as serial, null as name, null as fw_version, null as status, null::int as stage, 'not_found' as reason,
          null::jsonb as detail, 0 as sort
        from unnest(named.missing) m
        union all
        select p.serial, p.name, p.fw_version, p.status, p.stage, p.reason, p.detail, case when p.reason is null then 2 else 1 end
        from unnest(plan.places) p
        order by sort, stage, serial limit 1000
      ) x
    ));
end
$function$;
grant execute on function ec.preview_ota_job(uuid,jsonb) to authenticated;
comment on function ec.preview_ota_job(uuid,jsonb) is 'Action ota: who would get it and who not, why → {number, firmware, stages, targeted, excluded, reasons, devices (1,000, excluded ones first)}. EC400, EC403, EC404, EC409';

CREATE OR REPLACE FUNCTION ec.preview_room(room_id uuid, code text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  room public.locations := private.require_room_code(room_id, code);
begin
  return jsonb_build_object('room', jsonb_build_object('id', room.id, 'name', room.name), 'org', private.org_face(room.org_id));
end
$function$;
grant execute on function ec.preview_room(uuid,text) to authenticated;
comment on function ec.preview_room(uuid,text) is 'Signed in or not, whoever has the code → {room: {id, name}, org}. EC404, EC410 expired {reason}';

CREATE OR REPLACE FUNCTION ec.purge_expired(at timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  counts jsonb := '{}';
  n bigint;
begin
  delete from ec.mqtt_outbox o where o.sent_at < at - interval '1 day' or o.sent_at is null and o.expires_at < at;
  get diagnostics n = row_count;
  counts := counts || jsonb_build_object('mqtt_outbox', n);
  delete from ec.webhook_outbox o where o.sent_at < at - interval '7 days';
  delete from ec.mail_outbox o where o.sent_at < at - interval '7 days' or o.failed_at < at - interval '30 days';
  delete from ec.idempotency_keys i where i.created_at < at - interval '24 hours';
  get diagnostics n = row_count;
  counts := counts || jsonb_build_object('idempotency_keys', n);
  delete from ec.live_leases l where l.expires_at < at - interval '1 minute';
  delete from ec.live_pending p where not exists (select from ec.live_leases l where l.topic = p.topic);
  delete from public.device_commands c where c.state not in ('queued', 'sent') and c.created_at < at - interval '90 days';
  delete from ec.firmware_links l where l.expires_at < at - interval '1 day';
  delete from public.ota_events e where e.at < purge_expired.at - interval '400 days';
  delete from public.device_reboots r where r.booted_at < purge_expired.at - interval '400 days';
  delete from ec.rate_windows w where w.window_start < at - interval '1 hour';
  delete from public.dead_letters d where d.received_at < at - interval '30 days';
  get diagnostics n = row_count;
  counts := counts || jsonb_build_object('dead_letters', n);
  if to_regclass('cron.job_run_details') is not null then
    execute 'delete from cron.job_run_details where end_time < $1' using at - interval '2 days';
  end if;
  return counts;
end
$function$;
comment on function ec.purge_expired(timestamp with time zone) is 'Cron: removes what nobody will ask for again';

CREATE OR REPLACE FUNCTION ec.push_firmware(serial text, firmware_id uuid, force boolean DEFAULT false)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices := private.lock_device(push_firmware.serial, 'ota');
  job public.ota_jobs;
begin
  job := private.make_job(device.org_id, private.read_job_input(jsonb_build_object(
    'firmware_id', push_firmware.firmware_id, 'force', coalesce(push_firmware.force, false),
    'target', jsonb_build_object('serials', jsonb_build_array(device.serial)))), true);
  return private.ota_job_and_failures(job);
end
$function$;
grant execute on function ec.push_firmware(text,uuid,boolean) to authenticated;
comment on function ec.push_firmware(text,uuid,boolean) is 'Action ota: a job of one device → the job. EC403, EC404, EC409, EC422 {reason, detail}';

CREATE OR REPLACE FUNCTION ec.push_telemetry(serial text, packets json, refused json)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
  result jsonb;
  restarts int[] := '{}';
begin
  if private.actor_kind() = 'device' then
    device := private.require_own_device(push_telemetry.serial);
  else
    select d.* into device from public.devices d where d.serial = push_telemetry.serial;
    perform private.require_org(device.org_id, 'control');
    if device.lifecycle = 'retired' then
      perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
    end if;
  end if;
  result := ec.ingest_telemetry((
    select coalesce(json_agg(json_build_object('i', p.i - 1, 's', device.serial, 'd', p.d, 'r', p.r, 't', p.t, 'q', p.q) order by p.i), '[]')
    from rows from (json_to_recordset(packets) as (d json, r bigint, t bigint, q bigint)) with ordinality as p (d, r, t, q, i)
  ), 'https');
  if result ? 'waiting' and private.actor_kind() = 'device' then
    restarts := ec.take_restarts(array[device.num]);
  end if;
  if json_array_length(refused) > 0 then
    perform ec.record_dead_letters((
      select json_agg(json_build_object('s', device.serial, 'door', 'https', 'reason', x ->> 'reason', 'detail', x ->> 'detail',
        'payload', x ->> 'payload', 'bytes', x -> 'bytes', 'r', x -> 'r'))
      from json_array_elements(refused) x
    ));
  end if;
  return jsonb_build_object('accepted', result -> 'accepted', 'duplicate', result -> 'duplicate',
    'rejected', (result ->> 'rejected')::int + json_array_length(refused),
    'reboot', restarts <> '{}');
end
$function$;
grant execute on function ec.push_telemetry(text,json,json) to authenticated;
comment on function ec.push_telemetry(text,json,json) is 'The device itself, or action control: stores packets and refused ones → {accepted, duplicate, rejected, reboot}. EC403, EC404, EC409';

CREATE OR REPLACE FUNCTION ec.read_claim_code(serial text)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices := private.require_device(serial, 'read');
begin
  return coalesce(
    (
      select jsonb_build_object('state', private.claim_state(c.ended_reason, c.expires_at), 'created_at', c.created_at,
        'expires_at', c.expires_at, 'used_at', c.used_at)
      from public.claim_codes c where c.device_id = device.id order by c.created_at desc, c.ended_reason is null desc, c.id limit 1
    ),
    '{"state": "none", "created_at": null, "expires_at": null, "used_at": null}');
end
$function$;
grant execute on function ec.read_claim_code(text) to authenticated;
comment on function ec.read_claim_code(text) is 'Of the newest code: {state, created_at, expires_at, used_at}; state none when there never was one. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.read_device_commands(serial text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices := private.require_own_device(serial);
  reply jsonb := jsonb_build_object('desired', device.desired, 'desired_version', device.desired_version);
  handed_out uuid[];
  commands jsonb;
begin
  perform from public.device_state s where s.device_num = device.num and s.pending for no key update;
  if not found then
    return reply || '{"commands": []}';
  elsif ec.take_restarts(array[device.num]) <> '{}' then
    return reply || '{"commands": [], "reboot": true}';
  end if;
  perform from public.device_commands c
  where c.device_num = device.num and c.state in ('queued', 'sent') order by c.id for update;
  -- Those on their way over MQTT as well: the device knows an id it has seen.
  select array_agg(c.id) filter (where c.state = 'queued' and c.outbox_id is null),
    jsonb_agg(private.command_message(c) order by c.created_at, c.id)
  into handed_out, commands
  from public.device_commands c
  where c.device_num = device.num and c.state in ('queued', 'sent') and c.type <> 'reboot' and c.expires_at > clock_timestamp();
  if handed_out is not null then
    update public.device_commands c set state = 'sent', sent_at = clock_timestamp(), sent_door = 'https', sends = c.sends + 1
    where c.id = any (handed_out);
    perform private.show_commands(handed_out);
  end if;
  return reply || jsonb_build_object('commands', coalesce(commands, '[]')) || private.hand_out_ota(device.num);
end
$function$;
grant execute on function ec.read_device_commands(text) to authenticated;
comment on function ec.read_device_commands(text) is 'The device itself: {commands, desired, desired_version, and of an update fw_url, fw_version, job_id, attempt, size, sha256, signature, product_type}; hands out what waits. With reboot: true answer 205 and nothing else. EC404';

CREATE OR REPLACE FUNCTION ec.read_diagnostics(serial text, hours integer DEFAULT 24)
 RETURNS json
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET jit TO 'off'
 SET enable_seqscan TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  device record;
  boots json;
  starts timestamptz[];
  counted_h int := least(read_diagnostics.hours, 24);
  packets record;
  battery json;
begin
  select d.num, d.fw_version, t.health, t.telemetry_interval_s, s.reported, s.reported_at, s.older, s.last_seen, s.connected,
    s.tenure_id, coalesce(d.online_window_s, t.online_window_s) as online_window_s
  into device
  from public.devices d
  join public.product_types t on t.key = d.product_type
  join public.device_state s on s.device_num = d.num
  where d.serial = read_diagnostics.serial;
  if device.num is null then
    raise exception using errcode = 'EC404', message = 'not_found', detail = 'There is no such device, or you may not see it.';
  end if;

  select coalesce(json_agg(json_build_object('at', ec.iso_time(b.booted_at), 'reason', b.reason, 'fw_version', b.fw_version,
      'previous_uptime_s', b.previous_uptime_s) order by b.booted_at desc), '[]'),
    coalesce(array_agg(b.booted_at order by b.booted_at), '{}')
  into boots, starts
  from (
    select r.booted_at, r.reason, r.fw_version, r.previous_uptime_s from public.device_reboots r
    where r.device_num = device.num and r.booted_at >= now() - interval '30 days'
    order by r.booted_at desc limit 200
  ) b;

  select * into packets from ec.count_packets(device.num, now() - make_interval(hours => counted_h), starts);

  select coalesce(json_agg(json_build_array(extract(epoch from h.bucket)::bigint * 1000, h.mins[a.i], h.sums[a.i] / h.counts[a.i], h.maxs[a.i])
    order by h.bucket), '[]')
  into battery
  from public.rollups_1h h cross join lateral (select array_position(h.keys, 'bat') as i) a
  where h.device_num = device.num and h.bucket >= now() - interval '7 days' and a.i is not null;

  return json_build_object('serial', read_diagnostics.serial, 'fw_version', device.fw_version, 'now', ec.iso_time(now()),
    'reported', device.reported, 'reported_at', ec.iso_time(device.reported_at), 'older', device.older,
    'last_seen', ec.iso_time(device.last_seen), 'connected', device.connected,
    'online_window_s', device.online_window_s, 'interval_s', device.telemetry_interval_s, 'health', device.health,
    'series', ec.telemetry_buckets(read_diagnostics.serial, read_diagnostics.hours, array['bat', 'heap', 'signal']),
    'battery', battery, 'boots', boots,
    'packets', case when packets.expected is not null then json_build_object('hours', counted_h, 'expected', packets.expected,
      'received', packets.received, 'duplicates', packets.duplicates, 'counters', packets.counters) end,
    'skew', ec.clock_skew(device.num, now() - interval '1 day'),
    'track', case when device.reported ?| array['lat', 'gps_fix'] then ec.read_track(device.num, read_diagnostics.hours) else '[]' end);
end
$function$;
grant execute on function ec.read_diagnostics(text,integer) to authenticated;
comment on function ec.read_diagnostics(text,integer) is 'Facts about a device''s health; what they mean is judged by its product type''s thresholds. EC404';

CREATE OR REPLACE FUNCTION ec.read_notification(id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  notification public.notifications;
begin
  select n.* into notification from public.notifications n
  where n.id = read_notification.id and n.org_id = any (array(select private.my_bell_org_ids())) for key share;
  if notification.id is null then
    perform private.refuse_missing();
  end if;
  insert into ec.notification_reads (notification_id, reader_id) values (notification.id, private.actor_id())
  on conflict do nothing;
  return private.notification_json(notification, true);
end
$function$;
grant execute on function ec.read_notification(uuid) to authenticated;
comment on function ec.read_notification(uuid) is 'Marks it as read for the actor alone, again and again if need be. EC404';

CREATE OR REPLACE FUNCTION ec.read_notifications(org_id uuid)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me uuid := private.actor_id();
  since timestamptz := private.require_bell(read_notifications.org_id);
  marked int;
begin
  insert into ec.notification_reads (notification_id, reader_id)
  select n.id, me from public.notifications n
  where n.org_id = read_notifications.org_id and n.created_at >= since
  for key share
  on conflict do nothing;
  get diagnostics marked = row_count;
  return marked;
end
$function$;
grant execute on function ec.read_notifications(uuid) to authenticated;
comment on function ec.read_notifications(uuid) is 'Marks all of an org as read for the actor; returns how many were not. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.read_ota_job(job_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.ota_job_and_failures(j) from public.ota_jobs j
  where j.id = read_ota_job.job_id and j.org_id = any (array(select private.my_org_ids()))
$function$;
grant execute on function ec.read_ota_job(uuid) to authenticated;
comment on function ec.read_ota_job(uuid) is 'The job with counts, stages and failures; null when there is none for the caller';

CREATE OR REPLACE FUNCTION ec.read_track(device_num integer, hours integer)
 RETURNS json
 LANGUAGE sql
 STABLE
 SET search_path TO ''
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
AS $function$
  select concat('[', string_agg(concat('[', extract(epoch from p.bucket)::bigint, '000,',
    round(p.lat * 1e6) / 1e6, ',', round(p.lon * 1e6) / 1e6, ']'), ',' order by p.bucket), ']')::json
  from (
    select r.bucket, r.sums[r.lat] / r.counts[r.lat] as lat, r.sums[r.lon] / r.counts[r.lon] as lon
    from (
      select m.bucket, m.sums, m.counts, array_position(m.keys, 'lat') as lat, array_position(m.keys, 'lon') as lon
      from public.rollups_1m m
      where m.device_num = read_track.device_num and m.bucket >= now() - make_interval(hours => read_track.hours) and read_track.hours <= 24
      union all
      select v.bucket, v.sums, v.counts, array_position(v.keys, 'lat'), array_position(v.keys, 'lon')
      from public.rollups_5m v
      where v.device_num = read_track.device_num and v.bucket >= now() - make_interval(hours => read_track.hours) and read_track.hours > 24
      -- Each place is looked up once.
      offset 0
    ) r
    offset 0
  ) p
  where p.lat between -90 and 90 and p.lon between -180 and 180
$function$;
grant execute on function ec.read_track(integer,integer) to authenticated;

CREATE OR REPLACE FUNCTION ec.read_upload(firmware_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  firmware public.firmware;
begin
  select f.* into firmware from public.firmware f where f.id = read_upload.firmware_id;
  perform private.require_org(firmware.org_id, 'ota');
  return private.firmware_json(firmware);
end
$function$;
grant execute on function ec.read_upload(uuid) to authenticated;
comment on function ec.read_upload(uuid) is 'Action ota, which may upload without being allowed to read anything else → the firmware. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.rebuild_rollups(device_nums integer[], starts timestamp with time zone, ends timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET "TimeZone" TO 'UTC'
 SET jit TO 'off'
 SET work_mem TO '64MB'
AS $function$
declare
  first_at timestamptz := date_bin('15 minutes', rebuild_rollups.starts, 'epoch');
  last_at timestamptz := least(date_bin('15 minutes', rebuild_rollups.ends + interval '15 minutes', 'epoch'), date_trunc('minute', clock_timestamp()));
  num int;
  done int := 0;
  made int;
begin
  perform pg_advisory_xact_lock(hashtext('ec.rollups'));
  foreach num in array coalesce(rebuild_rollups.device_nums, array(select d.num from public.devices d)) loop
    insert into public.rollups_1m as r (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
    select num, g.bucket, g.tenure_id, g.org_num,
      array_agg(g.key order by g.key), array_agg(g.n order by g.key), array_agg(g.lo order by g.key),
      array_agg(g.hi order by g.key), array_agg(g.total order by g.key)
    from (
      select date_bin('1 minute', t.ts, 'epoch') as bucket, t.tenure_id, t.org_num, e.key, count(*)::int as n,
        min(e.value::float8) as lo, max(e.value::float8) as hi, sum(e.value::float8) as total
      from public.telemetry t cross join lateral jsonb_each(t.data) e
      where t.device_num = num and t.ts >= first_at and t.ts < last_at and jsonb_typeof(e.value) = 'number'
      group by 1, 2, 3, 4
    ) g
    group by g.bucket, g.tenure_id, g.org_num
    on conflict (device_num, bucket, tenure_id) do update set org_num = excluded.org_num,
      keys = excluded.keys, counts = excluded.counts, mins = excluded.mins, maxs = excluded.maxs, sums = excluded.sums;
    get diagnostics made = row_count;
    done := done + made;
  end loop;

  insert into ec.rollup_pending (level, device_num, bucket, ends_at)
  select distinct '5m', m.device_num, b.bucket, b.bucket + interval '5 minutes'
  from public.rollups_1m m, date_bin('5 minutes', m.bucket, 'epoch') as b (bucket)
  where (rebuild_rollups.device_nums is null or m.device_num = any (rebuild_rollups.device_nums)) and m.bucket >= first_at and m.bucket < last_at
  on conflict do nothing;
  loop
    made := ec.roll_pending(clock_timestamp(), 20000);
    exit when made = 0;
    done := done + made;
  end loop;
  return done;
end
$function$;
grant execute on function ec.rebuild_rollups(integer[],timestamp with time zone,timestamp with time zone) to ec_worker;
comment on function ec.rebuild_rollups(integer[],timestamp with time zone,timestamp with time zone) is 'Computes the roll-ups of devices and a range again from raw rows';

CREATE OR REPLACE FUNCTION ec.record_command_acks(items json)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;
grant execute on function ec.record_command_acks(json) to ec_bridge;
comment on function ec.record_command_acks(json) is 'Acknowledgements from cmd/ack; unknown, foreign and repeated ones change nothing. Returns how many did';

CREATE OR REPLACE FUNCTION ec.record_dead_letters(items json)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  insert into public.dead_letters
    (org_id, device_id, serial, door, reason, detail, payload, payload_bytes, received_at)
  select d.org_id, d.id, left(p.s, 64), p.door, left(p.reason, 64), left(p.detail, 500),
    case when octet_length(p.payload) <= 8192 then p.payload else left(p.payload, 2048) end,
    coalesce(p.bytes, octet_length(p.payload), 0), coalesce(to_timestamp(p.r::float8 / 1e6), now())
  from json_to_recordset(items) as p (s text, door text, reason text, detail text, payload text, bytes int, r bigint)
  left join public.devices d on d.serial = p.s
$function$;
grant execute on function ec.record_dead_letters(json) to ec_bridge;
comment on function ec.record_dead_letters(json) is 'Stores refused packets with their reason';

CREATE OR REPLACE FUNCTION ec.record_heartbeat(source text, now timestamp with time zone)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  insert into ec.heartbeats as h (source, up_since, beat_at)
  values (record_heartbeat.source, record_heartbeat.now, record_heartbeat.now)
  on conflict on constraint heartbeats_pkey do update set
    up_since = case when h.beat_at < excluded.beat_at - interval '1 minute' then excluded.up_since else h.up_since end,
    beat_at = greatest(h.beat_at, excluded.beat_at)
$function$;
grant execute on function ec.record_heartbeat(text,timestamp with time zone) to ec_bridge;
grant execute on function ec.record_heartbeat(text,timestamp with time zone) to ec_worker;
comment on function ec.record_heartbeat(text,timestamp with time zone) is 'A part of the platform says that it works; bridges every 10 seconds';

CREATE OR REPLACE FUNCTION ec.record_ota_status(items json)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  waiting int[];
  item record;
  execution public.ota_job_devices;
  changed int := 0;
begin
  select ec.note_signs(array_agg(p.s), array_agg(to_timestamp(p.r::float8 / 1e6))) into waiting
  from json_to_recordset(items) as p (s text, r bigint);
  perform from public.ota_job_devices e
  where e.id = any (array(
    select x.id
    from json_to_recordset(items) as p (s text, j text)
    join public.devices d on d.serial = p.s
    join public.ota_job_devices x on x.device_id = d.id and x.org_id = d.org_id and x.job_id::text = lower(p.j)
  ))
  order by e.id for update;
  for item in
    select x.id, p.state, p.percent, p.reason, p.retry_s
    from rows from (json_to_recordset(items) as (s text, j text, a text, state text, percent numeric, reason text, retry_s numeric))
      with ordinality as p (s, j, a, state, percent, reason, retry_s, o)
    join public.devices d on d.serial = p.s
    join public.ota_job_devices x on x.device_id = d.id and x.org_id = d.org_id and x.job_id::text = lower(p.j)
    where private.is_ota_word(p.state) and (p.a is null or p.a = x.attempt::text)
    order by p.o
  loop
    select e.* into execution from public.ota_job_devices e where e.id = item.id;
    if private.note_ota_status(execution, item.state, item.percent, item.reason, item.retry_s) then
      changed := changed + 1;
    end if;
  end loop;
  if waiting is not null then
    perform ec.deliver_commands(waiting);
  end if;
  return changed;
end
$function$;
grant execute on function ec.record_ota_status(json) to ec_bridge;
comment on function ec.record_ota_status(json) is 'Words from ota/status; unknown, foreign, late and repeated ones change nothing. Returns how many did';

CREATE OR REPLACE FUNCTION ec.record_reported(items json)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  nums int[];
  waiting int[];
  versions int[];
begin
  perform from public.device_state s
    where s.serial in (select p.s from json_to_recordset(items) as p (s text)) order by s.device_num for no key update;

  with arrived as (
    select p.s, array_agg(p.d order by p.o) as documents, array_agg(ec.iso_time(to_timestamp(p.r::float8 / 1e6)) order by p.o) as stamps,
      to_timestamp(max(p.r)::float8 / 1e6) as at, coalesce((array_agg(p.door order by p.o desc))[1], 'mqtt') as door
    from rows from (json_to_recordset(items) as (s text, d jsonb, r bigint, door text)) with ordinality as p (s, d, r, door, o)
    where p.d <> '{}'
    group by p.s
  ), merged as (
    select s.device_num, a.at, a.door, cardinality(a.documents) as n, m.reported, t.times,
      array(select k from jsonb_object_keys(t.times) k where not m.reported ? k) as gone,
      case when t.times ?| '{fw_version,fw}' then (
        select private.named_version(x.document) from unnest(a.documents) with ordinality as x (document, o)
        where private.named_version(x.document) is not null order by x.o desc limit 1) end as named
    from arrived a
    join public.device_state s on s.serial = a.s
    cross join lateral (select private.merge_shadows(s.reported, a.documents)) as m (reported)
    cross join lateral (
      -- Of equal keys jsonb_object_agg keeps the last.
      select jsonb_object_agg(k, x.stamp order by x.o)
      from unnest(a.documents, a.stamps) with ordinality as x (document, stamp, o) cross join jsonb_object_keys(x.document) k
    ) as t (times)
  ), written as (
    update public.device_state s set
      reported = m.reported,
      older = (s.older || m.times) - m.gone,
      packet_keys = array(select k from unnest(s.packet_keys) k where not m.times ? k),
      reported_version = s.reported_version + m.n,
      last_seen = greatest(s.last_seen, m.at),
      last_door = m.door,
      named_version = coalesce(m.named, s.named_version),
      named_version_at = case when m.named is null then s.named_version_at else greatest(s.named_version_at, m.at) end,
      connected = s.connected or m.door = 'mqtt' and m.at >= coalesce(s.connected_changed_at, m.at),
      connected_changed_at = case when not s.connected and m.door = 'mqtt'
        and m.at >= coalesce(s.connected_changed_at, m.at) then m.at else s.connected_changed_at end
    from merged m
    where s.device_num = m.device_num
    returning s.device_num, m.door = 'mqtt' and s.pending as waits, m.named is not null as names_version
  )
  select array_agg(w.device_num), array_agg(w.device_num) filter (where w.waits),
    array_agg(w.device_num) filter (where w.names_version)
  into nums, waiting, versions from written w;

  if versions is not null then perform private.note_versions(versions, true); end if;
  if waiting is not null then perform ec.deliver_commands(waiting); end if;
  if nums is not null and exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
    perform ec.broadcast_devices(nums);
  end if;
end
$function$;
grant execute on function ec.record_reported(json) to ec_api;
grant execute on function ec.record_reported(json) to ec_bridge;
comment on function ec.record_reported(json) is 'Merges documents of shadow/reported into the reported shadow';

CREATE OR REPLACE FUNCTION ec.record_status(items json)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  rounds int;
  changed int[] := '{}';
  flipped int[];
  present int[];
  waiting int[] := '{}';
begin
  perform from public.device_state s
    where s.serial in (select p.s from json_to_recordset(items) as p (s text)) order by s.device_num for no key update;

  -- Several messages of one device take turns: each is judged by what the one before it left.
  select max(n) into rounds from (
    select count(*) as n from json_to_recordset(items) as p (s text) group by p.s) x;
  for turn in 1 .. coalesce(rounds, 0) loop
    with arrived as (
      select p.s, p.online, to_timestamp(p.r::float8 / 1e6) as at, row_number() over (partition by p.s order by p.o) as n
      from rows from (json_to_recordset(items) as (s text, online bool, r bigint)) with ordinality as p (s, online, r, o)
    ), judged as (
      select s.device_num, a.online, a.at, s.connected <> a.online
        and a.at >= coalesce(s.connected_changed_at, a.at)
        and (a.online or a.at >= coalesce(case when s.last_door = 'mqtt' then s.last_seen end, a.at)) as flips
      from arrived a join public.device_state s on s.serial = a.s
      where a.n = turn
    ), written as (
      update public.device_state s set
        connected = case when j.flips then j.online else s.connected end,
        connected_changed_at = case when j.flips then j.at else s.connected_changed_at end,
        last_seen = case when j.online then greatest(s.last_seen, j.at) else s.last_seen end,
        last_door = case when j.online then 'mqtt' else s.last_door end,
        announces = true
      from judged j
      where s.device_num = j.device_num and (j.flips or j.online or not s.announces)
      returning s.device_num, j.flips, j.online and s.pending as waits
    )
    select coalesce(array_agg(w.device_num) filter (where w.flips), '{}'), array_agg(w.device_num) filter (where w.waits)
    into flipped, present from written w;
    changed := changed || flipped;
    waiting := waiting || present;
  end loop;

  if waiting <> '{}' then
    perform private.resend_commands(waiting);
    perform private.resend_ota(waiting);
    perform ec.deliver_commands(waiting);
  end if;
  if changed <> '{}' and exists (select from ec.live_leases l where l.expires_at > clock_timestamp()) then
    perform ec.broadcast_presence(array(select distinct unnest(changed)));
  end if;
end
$function$;
grant execute on function ec.record_status(json) to ec_bridge;
comment on function ec.record_status(json) is 'Birth and last will of devices';

CREATE OR REPLACE FUNCTION ec.refuse_firmware(firmware_id uuid, reason text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  return private.firmware_json(private.close_upload(private.lock_firmware(firmware_id, true), left(reason, 60)));
end
$function$;
grant execute on function ec.refuse_firmware(uuid,text) to ec_api;
comment on function ec.refuse_firmware(uuid,text) is 'The API alone: what was uploaded is no image → the firmware. EC404, EC409';

CREATE OR REPLACE FUNCTION ec.register_device(serial text, product_type text, fw_version text, secret_sha256 bytea, password_hash text, salt text, claim_sha256 bytea, org_id uuid DEFAULT NULL::uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  device public.devices;
  org uuid;
  created bool := false;
  revived bool := false;
  elsewhere bool;
  issued bool;
  reply jsonb;
begin
  -- GUARD: only what can become part of a topic is a serial
  if register_device.serial !~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$' then
    perform private.refuse('EC400', 'invalid_request',
      'A serial has 3 to 64 letters, digits, - or _, and starts with a letter or digit.');
  end if;
  select d.* into device from public.devices d where d.serial = register_device.serial for no key update;
  org := private.registering_org(register_device.org_id, device.org_id);

  if device.id is null then
    perform private.check_product_type(register_device.product_type, org);
    if private.actor_kind() = 'provisioning_key' then
      perform private.check_provisioning_key(register_device.serial, register_device.product_type, true);
    end if;
    device := private.create_device(register_device.serial, register_device.product_type, register_device.fw_version, org);
    created := device.id is not null;
    if not created then
      -- Somebody registered it between our look and our insert: now it is a repetition.
      select d.* into strict device from public.devices d where d.serial = register_device.serial for no key update;
    end if;
  end if;

  -- GUARD: another org's serial says only that it is taken
  elsewhere := device.org_id <> org;
  if elsewhere and not (private.actor_kind() = 'provisioning_key' and device.maker_org_id = org) then
    perform private.refuse('EC409', 'serial_taken', 'This serial number is not available.');
  end if;
  if not created then
    if device.product_type <> register_device.product_type then
      perform private.refuse('EC409', 'conflict', format('This serial is registered as %s.', device.product_type));
    end if;
    if private.actor_kind() = 'provisioning_key' then
      perform private.check_provisioning_key(device.serial, device.product_type, false);
    end if;
    if device.lifecycle = 'retired' then
      perform private.revive_device(device);
      revived := true;
    end if;
    -- Firmware that registers at boot knows its version best; a script repeated later does not.
    update public.devices d set fw_version = coalesce(register_device.fw_version, d.fw_version)
    where d.id = device.id and (private.actor_kind() = 'provisioning_key' or d.activated_at is null);
  end if;
  select d.* into strict device from public.devices d where d.id = device.id;

  issued := private.may_issue_secret(device);
  if issued then
    delete from public.device_credentials c where c.device_id = device.id and c.created_at >= device.registered_at;
    perform private.store_secret(device, register_device.secret_sha256, register_device.password_hash, register_device.salt);
    if device.claimed_at is null and register_device.claim_sha256 is not null then
      perform private.replace_claim_code(device.id, register_device.claim_sha256);
    end if;
  end if;
  if created or revived or issued then
    perform private.write_audit(
      case when created then 'device_registered' when revived then 'device_restored' else 'device_secret_reissued' end,
      'device', device.serial, device.org_id, null,
      jsonb_build_object('serial', device.serial, 'product_type', device.product_type));
  end if;
  reply := private.device_json(device);
  if elsewhere then
    reply := reply || jsonb_build_object('org_id', org, 'location_id', null, 'name', null, 'attributes', '{}'::jsonb,
      'tags', '[]'::jsonb, 'claimed_at', null, 'online_window_s', null);
  end if;
  return jsonb_build_object(
    'device', reply, 'created', created, 'issued', issued,
    'claim_issued', issued and device.claimed_at is null and register_device.claim_sha256 is not null);
end
$function$;
grant execute on function ec.register_device(text,text,text,bytea,text,text,bytea,uuid) to authenticated;
comment on function ec.register_device(text,text,text,bytea,text,text,bytea,uuid) is 'Registers or finds a device → {device, created, issued, claim_issued}. EC400, EC401, EC403, EC404, EC409 serial_taken | conflict, EC422';

CREATE OR REPLACE FUNCTION ec.register_devices(items json, org_id uuid DEFAULT NULL::uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  item record;
  result jsonb;
  results jsonb[] := array_fill(null::jsonb, array[greatest(json_array_length(items), 1)]);
  failed_detail text;
  failed_hint text;
begin
  if coalesce(json_array_length(items), 0) not between 1 and 500 then
    perform private.refuse('EC400', 'invalid_request', 'Register 1 to 500 devices in one call.');
  end if;
  -- In the order of serials, so that two calls over the same ones cannot wait for each other.
  for item in
    select (e.i)::int as i, r.* from json_array_elements(items) with ordinality e (value, i),
      json_to_record(e.value) r (
        serial text, product_type text, fw_version text, secret_sha256 text, password_hash text, salt text, claim_sha256 text
      )
    order by r.serial, e.i
  loop
    begin
      result := ec.register_device(
        item.serial, item.product_type, item.fw_version, decode(item.secret_sha256, 'hex'), item.password_hash,
        item.salt, decode(item.claim_sha256, 'hex'), register_devices.org_id) || '{"ok": true}';
    exception
      when sqlstate 'EC400' or sqlstate 'EC401' or sqlstate 'EC403' or sqlstate 'EC404' or sqlstate 'EC409'
        or sqlstate 'EC422' or integrity_constraint_violation then
        get stacked diagnostics failed_detail = pg_exception_detail, failed_hint = pg_exception_hint;
        result := jsonb_build_object(
          'ok', false, 'serial', item.serial, 'error', private.item_error(sqlstate, sqlerrm, failed_detail, failed_hint));
    end;
    results[item.i] := result || jsonb_build_object('i', item.i - 1);
  end loop;
  return to_jsonb(results);
end
$function$;
grant execute on function ec.register_devices(json,uuid) to authenticated;
comment on function ec.register_devices(json,uuid) is 'Up to 500 registrations, each with its own result in the order given: {i, ok, …} or {i, ok: false, error}';

CREATE OR REPLACE FUNCTION ec.reissue_claim_code(serial text, code_sha256 bytea, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
  code public.claim_codes;
begin
  device := private.lock_device(reissue_claim_code.serial, 'provision');
  if device.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  elsif reissue_claim_code.expires_at <= now() then
    perform private.refuse('EC400', 'invalid_request', 'expires_at lies in the past.');
  end if;
  perform private.end_claim_codes(device.id, 'reissued');
  insert into public.claim_codes (device_id, code_sha256, expires_at)
  values (device.id, reissue_claim_code.code_sha256, reissue_claim_code.expires_at)
  returning * into code;
  perform private.write_audit('claim_code_reissued', 'device', device.serial, device.org_id, null,
    jsonb_build_object('expires_at', code.expires_at));
  return jsonb_build_object('serial', device.serial, 'created_at', code.created_at, 'expires_at', code.expires_at);
end
$function$;
grant execute on function ec.reissue_claim_code(text,bytea,timestamp with time zone) to authenticated;
comment on function ec.reissue_claim_code(text,bytea,timestamp with time zone) is 'A new code; all earlier ones end → {serial, created_at, expires_at}. EC400, EC403, EC404, EC409 conflict (retired)';

CREATE OR REPLACE FUNCTION ec.reject_unknown(items jsonb, door text)
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  insert into public.dead_letters (serial, door, reason, detail, payload, payload_bytes, received_at)
  select p.s, door, 'unknown_device', 'No device with this serial is registered.',
    left(p.d::text, 2000), octet_length(p.d::text), to_timestamp(p.r::float8 / 1e6)
  from jsonb_to_recordset(items) as p (s text, d jsonb, r bigint)
$function$;

CREATE OR REPLACE FUNCTION ec.release_mqtt_outbox(ids bigint[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update ec.mqtt_outbox set claimed_by = null, claimed_until = null where id = any (ids) and sent_at is null
$function$;
grant execute on function ec.release_mqtt_outbox(bigint[]) to ec_bridge;
comment on function ec.release_mqtt_outbox(bigint[]) is 'Not sent after all: anybody may claim these again at once';

CREATE OR REPLACE FUNCTION ec.report_device_shadow(serial text, document jsonb, arrival bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices := private.require_own_device(serial);
begin
  perform ec.record_reported(json_build_array(json_build_object(
    's', device.serial, 'd', document, 'r', arrival, 'door', 'https')));
  return (
    select jsonb_build_object('serial', device.serial, 'reported', s.reported, 'desired', device.desired,
      'desired_version', device.desired_version)
    from public.device_state s where s.device_id = device.id
  );
end
$function$;
grant execute on function ec.report_device_shadow(text,jsonb,bigint) to authenticated;
comment on function ec.report_device_shadow(text,jsonb,bigint) is 'The device itself: merges a document into reported; arrival in µs → {serial, reported, desired, desired_version}. EC404';

CREATE OR REPLACE FUNCTION ec.report_ota_status(serial text, body jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices := private.require_own_device(serial);
  execution public.ota_job_devices;
  changed bool := false;
begin
  if (private.is_ota_word(body ->> 'state')) is not true
    or body ? 'percent' and jsonb_typeof(body -> 'percent') not in ('number', 'null')
    or body ? 'retry_s' and jsonb_typeof(body -> 'retry_s') not in ('number', 'null') then
    perform private.refuse('EC400', 'invalid_request',
      'state is one of downloading, installing, rebooting, deferred, failed, rejected, rolled_back; percent and retry_s are numbers.');
  end if;
  perform from public.device_state s where s.device_num = device.num for no key update;
  select e.* into execution from public.ota_job_devices e
  where e.device_id = device.id and e.org_id = device.org_id and e.job_id::text = lower(body ->> 'job_id') for update;
  if execution.id is null then
    perform private.refuse_missing();
  elsif body -> 'attempt' is null or body ->> 'attempt' = execution.attempt::text then
    changed := private.note_ota_status(execution, body ->> 'state', (body ->> 'percent')::numeric, body ->> 'reason',
      (body ->> 'retry_s')::numeric);
  end if;
  select e.* into execution from public.ota_job_devices e where e.id = execution.id;
  return jsonb_build_object('job_id', execution.job_id, 'attempt', execution.attempt, 'state', execution.state, 'changed', changed);
end
$function$;
grant execute on function ec.report_ota_status(text,jsonb) to authenticated;
comment on function ec.report_ota_status(text,jsonb) is 'The device itself: {job_id, attempt?, state, percent?, reason?, retry_s?} → {job_id, attempt, state, changed}. EC400, EC404';

CREATE OR REPLACE FUNCTION ec.resend_invitation(invitation_id uuid, token_sha256 bytea, url text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  invitation public.invitations;
begin
  invitation := private.lock_invitation(resend_invitation.invitation_id);
  if num_nonnulls(invitation.accepted_at, invitation.revoked_at) > 0 then
    perform private.refuse('EC409', 'conflict', 'This invitation was accepted or taken back; invite again.');
  end if;
  update public.invitations i set
    token_sha256 = resend_invitation.token_sha256, expires_at = now() + interval '7 days',
    sent_count = i.sent_count + 1, last_sent_at = now()
  where i.id = invitation.id
  returning i.* into invitation;
  perform private.mail_invitation(invitation, url);
  perform private.write_audit('invitation_resent', 'invitation', invitation.id::text, invitation.org_id, null,
    jsonb_build_object('email', invitation.email, 'role', invitation.role), invitation.partner_id);
  return private.invitation_json(invitation);
end
$function$;
grant execute on function ec.resend_invitation(uuid,bytea,text) to authenticated;
comment on function ec.resend_invitation(uuid,bytea,text) is 'A new link for 7 days, the one before ends → the invitation. EC403, EC404, EC409';

CREATE OR REPLACE FUNCTION ec.reserve_serial_prefix(prefix text, org_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted text := reserve_serial_prefix.prefix;
begin
  if not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators reserve serial prefixes.');
  end if;
  perform private.require_org(reserve_serial_prefix.org_id, 'configure');
  if exists (
    select from public.serial_prefixes r
    where r.maker_org_id <> reserve_serial_prefix.org_id and (starts_with(r.prefix, wanted) or starts_with(wanted, r.prefix))
  ) then
    perform private.refuse('EC409', 'conflict', 'This prefix overlaps with one that is reserved.');
  end if;
  insert into public.serial_prefixes (prefix, maker_org_id) values (wanted, reserve_serial_prefix.org_id)
  on conflict do nothing;
  perform private.write_audit('serial_prefix_reserved', 'serial_prefix', wanted, reserve_serial_prefix.org_id);
end
$function$;
grant execute on function ec.reserve_serial_prefix(text,uuid) to authenticated;
comment on function ec.reserve_serial_prefix(text,uuid) is 'From now on only this org registers new serials that start so; existing devices stay. EC403, EC404, EC409';

CREATE OR REPLACE FUNCTION ec.resolve_credential(kind text, sha256 bytea)
 RETURNS TABLE(id uuid, org_id uuid, scopes text[], product_type text, plan text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if kind = 'api_key' then
    return query
    select k.id, k.org_id, k.scopes, null::text, o.plan
    from public.api_keys k join public.orgs o on o.id = k.org_id
    where k.key_sha256 = resolve_credential.sha256
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
    update public.api_keys k set last_used_at = now()
    where k.key_sha256 = resolve_credential.sha256
      and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute');
  elsif kind = 'provisioning_key' then
    return query
    select k.id, k.org_id, array['provision'], k.product_type, o.plan
    from public.provisioning_keys k join public.orgs o on o.id = k.org_id
    where k.key_sha256 = resolve_credential.sha256
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
    update public.provisioning_keys k set last_used_at = now()
    where k.key_sha256 = resolve_credential.sha256
      and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute');
  end if;
end
$function$;
grant execute on function ec.resolve_credential(text,bytea) to ec_api;
comment on function ec.resolve_credential(text,bytea) is 'kind = api_key or provisioning_key; no row when unknown, revoked or expired';

CREATE OR REPLACE FUNCTION ec.resolve_device(serial text, sha256 bytea)
 RETURNS TABLE(device_id uuid, device_num integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  return query
  select d.id, d.num
  from public.device_credentials c join public.devices d on d.id = c.device_id
  where c.secret_sha256 = resolve_device.sha256 and d.serial = resolve_device.serial
    and c.revoked_at is null and (c.expires_at is null or c.expires_at > now()) and d.lifecycle <> 'retired';
  if found then
    update public.device_credentials c
    set first_used_at = coalesce(c.first_used_at, now()), last_used_at = now()
    where c.secret_sha256 = resolve_device.sha256
      and (c.last_used_at is null or c.last_used_at < now() - interval '1 minute');
  end if;
end
$function$;
grant execute on function ec.resolve_device(text,bytea) to ec_api;
comment on function ec.resolve_device(text,bytea) is 'No row when the secret is not a live one of that serial';

CREATE OR REPLACE FUNCTION ec.restore_retained()
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
  messages int := 0;
begin
  for device in
    select d.* from public.devices d where d.desired <> '{}' and d.lifecycle <> 'retired' order by d.id for share
  loop
    continue when not exists (select from ec.mqtt_credentials c where c.serial = device.serial);
    perform private.send_desired(device);
    messages := messages + 2;
  end loop;
  return messages;
end
$function$;
grant execute on function ec.restore_retained() to ec_bridge;
comment on function ec.restore_retained() is 'Sends the retained messages of all devices again; returns how many';

CREATE OR REPLACE FUNCTION ec.resume_ota_job(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  job public.ota_jobs := private.lock_job(job_id, '{paused}');
begin
  update public.ota_jobs j set state = 'running' where j.id = job.id returning j.* into job;
  perform private.log_job(job, 'resumed', jsonb_build_object('by', private.actor_label()));
  perform private.audit_job(job, 'ota_job_resumed');
  job := private.advance_job(job, clock_timestamp());
  return private.ota_job_and_failures(job);
end
$function$;
grant execute on function ec.resume_ota_job(uuid) to authenticated;
comment on function ec.resume_ota_job(uuid) is 'Action ota → the job. EC403, EC404, EC409 {state}';

CREATE OR REPLACE FUNCTION ec.retained_mark()
 RETURNS bigint
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$ select max(o.id) from ec.mqtt_outbox o where o.retain and o.sent_at is not null $function$;
grant execute on function ec.retained_mark() to ec_bridge;
comment on function ec.retained_mark() is 'Newest retained message a broker acknowledged, null when none of the last day: a broker that knows an older one lost some';

CREATE OR REPLACE FUNCTION ec.retire_device(serial text, force boolean DEFAULT false)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
  untouched bool;
begin
  device := private.lock_device(retire_device.serial, 'provision');
  if device.lifecycle = 'retired' then
    return jsonb_build_object('deleted', false);
  end if;
  if device.lifecycle = 'active' and not force then
    perform private.refuse('EC409', 'conflict', 'This device is active. Retire it with force=true.');
  end if;
  perform private.end_commands(device.id, 'retired');
  perform private.clear_retained(device.serial);
  perform pg_notify('ec_credentials', device.serial);
  untouched := device.activated_at is null and device.claimed_at is null
    and not exists (
      select from public.device_credentials c where c.device_id = device.id and c.first_used_at is not null
    )
    and not exists (select from public.claim_codes c where c.device_id = device.id and c.used_at is not null);
  perform private.write_audit(case when untouched then 'device_deleted' else 'device_retired' end,
    'device', device.serial, device.org_id, private.device_json(device));
  -- A device that never lived leaves no history, so its serial becomes free again.
  if untouched then
    delete from public.devices d where d.id = device.id;
    return jsonb_build_object('deleted', true);
  end if;
  update public.device_credentials c set revoked_at = now() where c.device_id = device.id and c.revoked_at is null;
  perform private.end_claim_codes(device.id, 'retired');
  update public.device_tenures t set ended_at = greatest(clock_timestamp(), t.started_at)
  where t.device_id = device.id and t.ended_at is null;
  update public.devices d set
    lifecycle = 'retired', retired_at = now(), desired = '{}', desired_version = d.desired_version + 1,
    pending_fw_version = null, pending_fw_url = null
  where d.id = device.id;
  return jsonb_build_object('deleted', false);
end
$function$;
grant execute on function ec.retire_device(text,boolean) to authenticated;
comment on function ec.retire_device(text,boolean) is 'Ends all its secrets and keeps its history; deletes it when it never lived. EC403, EC404, EC409 conflict (active)';

CREATE OR REPLACE FUNCTION ec.retire_firmware(firmware_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  firmware public.firmware := private.lock_firmware(firmware_id, false);
  jobs jsonb;
begin
  select jsonb_agg(j.number order by j.number) into jobs from public.ota_jobs j
  where j.firmware_id = firmware.id and j.org_id = firmware.org_id and j.state in ('scheduled', 'running', 'paused');
  if exists (select from public.ota_jobs j where j.firmware_id = firmware.id and j.state in ('scheduled', 'running', 'paused')) then
    perform private.refuse('EC409', 'conflict', 'An update job uses this firmware.', jsonb_build_object('jobs', coalesce(jobs, '[]')));
  end if;
  update public.firmware f set state = 'refused', refused_reason = 'abandoned' where f.id = firmware.id and f.state = 'uploading';
  update public.firmware f set state = 'retired' where f.id = firmware.id and f.state = 'ready';
  if found then
    perform private.write_audit('firmware_retired', 'firmware', firmware.id::text, firmware.org_id, null,
      jsonb_build_object('product_type', firmware.product_type, 'version', firmware.version));
  end if;
  select f.* into firmware from public.firmware f where f.id = firmware.id;
  return private.firmware_json(firmware);
end
$function$;
grant execute on function ec.retire_firmware(uuid) to authenticated;
comment on function ec.retire_firmware(uuid) is 'Action ota: nobody gets it any more, an unfinished upload is given up → the firmware. EC403, EC404, EC409 {jobs: numbers}';

CREATE OR REPLACE FUNCTION ec.retry_ota_job(job_id uuid, states text[] DEFAULT NULL::text[])
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted text[] := coalesce(states, '{failed,timed_out,rolled_back,cancelled}');
  job public.ota_jobs := private.lock_job(job_id, '{running,paused,aborted,completed}');
  held bigint[];
begin
  if not wanted <@ '{failed,timed_out,rolled_back,rejected,cancelled}' or wanted = '{}' then
    perform private.refuse('EC400', 'invalid_request',
      'Only failed, timed_out, rolled_back, rejected and cancelled devices can be tried again.');
  elsif not exists (select from public.firmware f where f.id = job.firmware_id and f.state = 'ready') then
    perform private.refuse('EC409', 'conflict', 'This firmware is not ready for use.');
  end if;
  perform from public.devices d
  where d.id in (select e.device_id from public.ota_job_devices e where e.job_id = job.id and e.state = any (wanted))
  order by d.id for no key update;
  select array_agg(x.id) into held from (
    select e.id
    from public.ota_job_devices e join public.devices d on d.id = e.device_id
    where e.job_id = job.id and e.state = any (wanted) and d.org_id = job.org_id and d.lifecycle <> 'retired'
      and (job.force or d.fw_version is null
        or private.plain_version(d.fw_version) <> job.version and private.compare_versions(d.fw_version, job.version) <= 0)
      and not exists (
        select from public.ota_job_devices o
        where o.device_num = e.device_num and o.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting'))
    order by e.id for update of e
  ) x;
  if held is null then
    perform private.refuse('EC409', 'conflict', 'No device of this job can be tried again.', jsonb_build_object('state', job.state));
  end if;
  update public.ota_job_devices e set
    state = 'queued', attempt = e.attempt + 1, percent = null, reason = null, sends = 0, sent_at = null, outbox_id = null,
    not_before = null, old_seen_at = null, timeout_at = null, finished_at = null,
    queued_at = clock_timestamp(), changed_at = clock_timestamp()
  where e.id = any (held);
  update public.devices d set
    pending_fw_version = job.version, pending_fw_url = format('%s/firmware/%s/file', private.api_url(), job.firmware_id)
  where d.id in (select e.device_id from public.ota_job_devices e where e.id = any (held));
  update public.ota_jobs j set
    state = case when j.state = 'paused' then j.state else 'running' end, abort_reason = null, finished_at = null,
    soaking_since = null, counting_since = clock_timestamp(), started_at = coalesce(j.started_at, clock_timestamp())
  where j.id = job.id returning j.* into job;
  perform private.log_ota(held);
  perform private.show_ota(held);
  perform private.log_job(job, 'retried', jsonb_build_object('by', private.actor_label(), 'devices', cardinality(held)));
  perform private.audit_job(job, 'ota_job_retried');
  job := private.advance_job(job, clock_timestamp());
  return private.ota_job_and_failures(job);
end
$function$;
grant execute on function ec.retry_ota_job(uuid,text[]) to authenticated;
comment on function ec.retry_ota_job(uuid,text[]) is 'Action ota: a new attempt for devices in these states (failed, timed_out, rolled_back, cancelled) → the job. EC400, EC403, EC404, EC409 {state}';

CREATE OR REPLACE FUNCTION ec.revoke_api_key(api_key_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  key public.api_keys;
begin
  select k.* into key from public.api_keys k where k.id = revoke_api_key.api_key_id for update;
  perform private.require_org(key.org_id, 'invite');
  if key.revoked_at is not null then
    return;
  end if;
  update public.api_keys k set revoked_at = now() where k.id = key.id;
  -- Live tokens made with the key end with it.
  update public.orgs o set live_epoch = o.live_epoch + 1 where o.id = key.org_id;
  perform private.write_audit('api_key_revoked', 'api_key', key.id::text, key.org_id, to_jsonb(key) - 'key_sha256');
end
$function$;
grant execute on function ec.revoke_api_key(uuid) to authenticated;
comment on function ec.revoke_api_key(uuid) is 'Ends a key at once; repeating it changes nothing. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.revoke_credential(credential_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
begin
  device := private.lock_device(
    (select c.serial from public.device_credentials c where c.id = revoke_credential.credential_id), 'provision');
  update public.device_credentials c set revoked_at = now()
  where c.id = revoke_credential.credential_id and c.revoked_at is null;
  if not found then
    return;
  end if;
  perform pg_notify('ec_credentials', device.serial);
  if not exists (select from ec.mqtt_credentials c where c.serial = device.serial) then
    perform private.clear_retained(device.serial);
  end if;
  perform private.write_audit('credential_revoked', 'device', device.serial, device.org_id,
    jsonb_build_object('credential_id', credential_id));
end
$function$;
grant execute on function ec.revoke_credential(uuid) to authenticated;
comment on function ec.revoke_credential(uuid) is 'Ends a secret at once; repeating it changes nothing. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.revoke_invitation(invitation_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  invitation public.invitations;
begin
  invitation := private.lock_invitation(revoke_invitation.invitation_id);
  if invitation.revoked_at is not null then
    return;
  elsif invitation.accepted_at is not null then
    perform private.refuse('EC409', 'already_used', 'This invitation was accepted. End the membership instead.');
  end if;
  update public.invitations i set revoked_at = now() where i.id = invitation.id;
  delete from ec.mail_outbox o
  where o.template = 'invitation' and o.sent_at is null and o.data ->> 'invitation_id' = invitation.id::text;
  perform private.write_audit('invitation_revoked', 'invitation', invitation.id::text, invitation.org_id,
    jsonb_build_object('email', invitation.email, 'role', invitation.role), null, invitation.partner_id);
end
$function$;
grant execute on function ec.revoke_invitation(uuid) to authenticated;
comment on function ec.revoke_invitation(uuid) is 'Ends it at once; repeating it changes nothing. EC403, EC404, EC409 already_used';

CREATE OR REPLACE FUNCTION ec.revoke_provisioning_key(provisioning_key_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  key public.provisioning_keys;
begin
  select k.* into key from public.provisioning_keys k where k.id = revoke_provisioning_key.provisioning_key_id for update;
  perform private.require_org(key.org_id, 'invite');
  if key.revoked_at is not null then
    return;
  end if;
  update public.provisioning_keys k set revoked_at = now() where k.id = key.id;
  perform private.write_audit('provisioning_key_revoked', 'provisioning_key', key.id::text, key.org_id,
    to_jsonb(key) - 'key_sha256');
end
$function$;
grant execute on function ec.revoke_provisioning_key(uuid) to authenticated;
comment on function ec.revoke_provisioning_key(uuid) is 'Ends a key at once; devices it registered keep theirs. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.revoke_room_code(room_id uuid, end_tenants boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  room public.locations := private.require_room(room_id, 'invite');
begin
  if exists (select from public.room_codes c where c.location_id = room.id and c.revoked_at is null) then
    perform private.end_room_code(room.id, 'revoked');
    perform private.write_audit('room_code_revoked', 'location', room.id::text, room.org_id);
  end if;
  if end_tenants then
    perform private.move_out_tenants(room);
  end if;
end
$function$;
grant execute on function ec.revoke_room_code(uuid,boolean) to authenticated;
comment on function ec.revoke_room_code(uuid,boolean) is 'Nobody can move in by QR any more; repeating it changes nothing. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.roll_days(device_nums integer[], org_nums integer[], buckets timestamp with time zone[], ends timestamp with time zone[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET work_mem TO '32MB'
AS $function$
  insert into public.rollups_1d as r (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
  select g.device_num, g.bucket, g.tenure_id, g.org_num,
    array_agg(g.key order by g.key), array_agg(g.n order by g.key), array_agg(g.lo order by g.key),
    array_agg(g.hi order by g.key), array_agg(g.total order by g.key)
  from (
    select x.device_num, x.bucket, q.tenure_id, q.org_num, e.key,
      sum(e.n)::int as n, min(e.lo) as lo, max(e.hi) as hi, sum(e.total) as total
    from unnest(roll_days.device_nums, roll_days.org_nums, roll_days.buckets, roll_days.ends) as x (device_num, org_num, bucket, ends_at)
    join public.rollups_15m q
      on q.device_num = x.device_num and q.bucket >= x.bucket and q.bucket < x.ends_at and q.org_num = x.org_num
    cross join lateral unnest(q.keys, q.counts, q.mins, q.maxs, q.sums) as e (key, n, lo, hi, total)
    group by x.device_num, x.bucket, q.tenure_id, q.org_num, e.key
  ) g
  group by g.device_num, g.bucket, g.tenure_id, g.org_num
  on conflict (device_num, bucket, tenure_id) do update set org_num = excluded.org_num,
    keys = excluded.keys, counts = excluded.counts, mins = excluded.mins, maxs = excluded.maxs, sums = excluded.sums
$function$;

CREATE OR REPLACE FUNCTION ec.roll_level(target text, source text, width interval, device_nums integer[], buckets timestamp with time zone[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET work_mem TO '32MB'
AS $function$
begin
  execute format($sql$
    insert into public.%I as r (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
    select g.device_num, g.bucket, g.tenure_id, g.org_num,
      array_agg(g.key order by g.key), array_agg(g.n order by g.key), array_agg(g.lo order by g.key),
      array_agg(g.hi order by g.key), array_agg(g.total order by g.key)
    from (
      select x.device_num, x.bucket, f.tenure_id, f.org_num, e.key,
        sum(e.n)::int as n, min(e.lo) as lo, max(e.hi) as hi, sum(e.total) as total
      from unnest($1, $2) as x (device_num, bucket)
      join public.%I f on f.device_num = x.device_num and f.bucket >= x.bucket and f.bucket < x.bucket + $3
      cross join lateral unnest(f.keys, f.counts, f.mins, f.maxs, f.sums) as e (key, n, lo, hi, total)
      group by x.device_num, x.bucket, f.tenure_id, f.org_num, e.key
    ) g
    group by g.device_num, g.bucket, g.tenure_id, g.org_num
    on conflict (device_num, bucket, tenure_id) do update set org_num = excluded.org_num,
      keys = excluded.keys, counts = excluded.counts, mins = excluded.mins, maxs = excluded.maxs, sums = excluded.sums
    $sql$, target, source)
  using device_nums, buckets, width;
end
$function$;

CREATE OR REPLACE FUNCTION ec.roll_minutes(device_nums integer[], buckets timestamp with time zone[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET work_mem TO '32MB'
AS $function$
  insert into public.rollups_1m as r (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)
  select g.device_num, g.bucket, g.tenure_id, g.org_num,
    array_agg(g.key order by g.key), array_agg(g.n order by g.key), array_agg(g.lo order by g.key),
    array_agg(g.hi order by g.key), array_agg(g.total order by g.key)
  from (
    select x.device_num, x.bucket, t.tenure_id, t.org_num, e.key, count(*)::int as n,
      min(e.value::float8) as lo, max(e.value::float8) as hi, sum(e.value::float8) as total
    from unnest(roll_minutes.device_nums, roll_minutes.buckets) as x (device_num, bucket)
    join public.telemetry t
      on t.device_num = x.device_num and t.ts >= x.bucket and t.ts < x.bucket + interval '1 minute'
    cross join lateral jsonb_each(t.data) e
    where jsonb_typeof(e.value) = 'number'
    group by x.device_num, x.bucket, t.tenure_id, t.org_num, e.key
  ) g
  group by g.device_num, g.bucket, g.tenure_id, g.org_num
  on conflict (device_num, bucket, tenure_id) do update set org_num = excluded.org_num,
    keys = excluded.keys, counts = excluded.counts, mins = excluded.mins, maxs = excluded.maxs, sums = excluded.sums
$function$;

CREATE OR REPLACE FUNCTION ec.roll_pending(now timestamp with time zone, max_buckets integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  due record;
  done int := 0;
begin
  select * into due from ec.take_due('5m', roll_pending.now, max_buckets);
  if due.device_nums is not null then
    perform ec.roll_level('rollups_5m', 'rollups_1m', '5 minutes', due.device_nums, due.starts);
    perform ec.await_rollups('15m', due.device_nums, due.starts);
    done := done + cardinality(due.starts);
  end if;
  select * into due from ec.take_due('15m', roll_pending.now, max_buckets);
  if due.device_nums is not null then
    perform ec.roll_level('rollups_15m', 'rollups_5m', '15 minutes', due.device_nums, due.starts);
    perform ec.await_rollups('1h', due.device_nums, due.starts);
    perform ec.await_days(due.device_nums, due.starts);
    done := done + cardinality(due.starts);
  end if;
  select * into due from ec.take_due('1h', roll_pending.now, max_buckets);
  if due.device_nums is not null then
    perform ec.roll_level('rollups_1h', 'rollups_15m', '1 hour', due.device_nums, due.starts);
    done := done + cardinality(due.starts);
  end if;
  select * into due from ec.take_due('1d', roll_pending.now, max_buckets);
  if due.device_nums is not null then
    perform ec.roll_days(due.device_nums, due.org_nums, due.starts, due.ends);
    done := done + cardinality(due.starts);
  end if;
  return done;
end
$function$;

CREATE OR REPLACE FUNCTION ec.rolled_until()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$ select p.rolled_until from ec.rollup_progress p $function$;
grant execute on function ec.rolled_until() to authenticated;

CREATE OR REPLACE FUNCTION ec.room_code(room_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  room public.locations := private.require_room(room_id, 'invite');
begin
  return private.room_code_json(room.id);
end
$function$;
grant execute on function ec.room_code(uuid) to authenticated;
comment on function ec.room_code(uuid) is '{room_id, code, created_at, expires_at, version}; code null = there is none. EC403, EC404';

CREATE OR REPLACE FUNCTION ec.rotate_credential(device_id uuid, secret_sha256 bytea, password_hash text, salt text, overlap_s integer DEFAULT 3600)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
  ends_at timestamptz := now() + make_interval(secs => overlap_s);
  old_expires_at timestamptz;
  credential_id uuid;
begin
  device := private.lock_device(
    (select d.serial from public.devices d where d.id = rotate_credential.device_id), 'provision');
  if device.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  end if;
  if overlap_s is null or overlap_s not between 0 and 604800 then
    perform private.refuse('EC400', 'invalid_request', 'overlap_s is a number of seconds up to 7 days; 0 ends the old secret at once.');
  end if;
  update public.device_credentials c set
    expires_at = least(c.expires_at, ends_at),
    revoked_at = case when overlap_s = 0 then now() end
  where c.device_id = device.id and c.revoked_at is null and (c.expires_at is null or c.expires_at > now());
  if found then
    old_expires_at := ends_at;
  end if;
  credential_id := private.store_secret(device, secret_sha256, password_hash, salt);
  perform private.write_audit('credential_rotated', 'device', device.serial, device.org_id, null,
    jsonb_build_object('credential_id', credential_id, 'overlap_s', overlap_s));
  return jsonb_build_object('id', credential_id, 'old_expires_at', old_expires_at);
end
$function$;
grant execute on function ec.rotate_credential(uuid,bytea,text,text,integer) to authenticated;
comment on function ec.rotate_credential(uuid,bytea,text,text,integer) is 'Stores a new secret; the ones before it end after overlap_s seconds → {id, old_expires_at}. EC400, EC403, EC404, EC409';

CREATE OR REPLACE FUNCTION ec.rotate_room_code(room_id uuid, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, end_tenants boolean DEFAULT false)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  room public.locations := private.require_room(room_id, 'invite');
begin
  if rotate_room_code.expires_at <= now() then
    perform private.refuse('EC400', 'invalid_request', 'expires_at lies in the past.');
  end if;
  perform private.end_room_code(room.id, 'rotated');
  perform private.new_room_code(room, rotate_room_code.expires_at);
  if end_tenants then
    perform private.move_out_tenants(room);
  end if;
  return private.room_code_json(room.id);
end
$function$;
grant execute on function ec.rotate_room_code(uuid,timestamp with time zone,boolean) to authenticated;
comment on function ec.rotate_room_code(uuid,timestamp with time zone,boolean) is 'The code before ends at once → as ec.room_code(). end_tenants also moves everybody out. EC400, EC403, EC404';

CREATE OR REPLACE FUNCTION ec.run_rollups(now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET "TimeZone" TO 'UTC'
AS $function$
declare
  this_minute int := floor(extract(epoch from run_rollups.now) / 60);
  nums int[];
  mins int[];
  taken int;
  done int := 0;
begin
  if not pg_try_advisory_xact_lock(hashtext('ec.rollups')) then
    return -1;
  end if;

  with consumed as (
    delete from ec.ingest_log l
    where l.id in (select o.id from ec.ingest_log o order by o.id limit 20000)
    returning l.device_nums, l.minutes
  ), touched as (
    select distinct x.device_num, x.minute from consumed c cross join lateral unnest(c.device_nums, c.minutes) as x (device_num, minute)
  ), later as (
    -- Minutes that still run, and those of devices whose clock is ahead, go back on the list.
    insert into ec.ingest_log (device_nums, minutes)
    select array_agg(t.device_num), array_agg(t.minute) from touched t where t.minute >= this_minute having count(*) > 0
  )
  select array_agg(t.device_num order by t.device_num, t.minute) filter (where t.minute < this_minute),
    array_agg(t.minute order by t.device_num, t.minute) filter (where t.minute < this_minute),
    (select count(*) from consumed)
  into nums, mins, taken from touched t;

  if nums is not null then
    done := cardinality(nums);
    -- In parts: a statement over a long back-log would spill its groups to disk.
    for part in 0 .. (done - 1) / 5000 loop
      perform ec.roll_minutes(nums[part * 5000 + 1 : part * 5000 + 5000],
        array(select to_timestamp(m * 60::float8) from unnest(mins[part * 5000 + 1 : part * 5000 + 5000]) m));
    end loop;
    perform ec.await_rollups('5m', nums, array(select to_timestamp(m * 60::float8) from unnest(mins) with ordinality u (m, n) order by n));
  end if;
  done := done + ec.roll_pending(run_rollups.now, 100000);

  -- Only a run that emptied the list has rolled everything up to this minute.
  if coalesce(taken, 0) < 20000 then
    update ec.rollup_progress p set rolled_until = greatest(p.rolled_until, to_timestamp(this_minute * 60::float8));
  end if;
  return done;
end
$function$;
grant execute on function ec.run_rollups(timestamp with time zone) to ec_worker;
comment on function ec.run_rollups(timestamp with time zone) is 'Rolls up what ingest logged since the last run';

CREATE OR REPLACE FUNCTION ec.save_device_filter(org_id uuid, name text, filter jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  max_filters constant int := 100;
  saved public.device_filters;
begin
  perform private.require_org(save_device_filter.org_id, 'control');
  perform private.require_filter(save_device_filter.filter);
  if (select count(*) from public.device_filters f where f.org_id = save_device_filter.org_id) >= max_filters then
    perform private.refuse('EC409', 'conflict', format('An organisation keeps at most %s filters.', max_filters));
  end if;
  insert into public.device_filters (org_id, name, filter, created_by_kind, created_by_id, created_by_label)
  values (save_device_filter.org_id, btrim(save_device_filter.name), save_device_filter.filter,
    coalesce(private.actor_kind(), 'system'), private.actor_id(), private.actor_label())
  returning * into saved;
  perform private.write_audit('device_filter_saved', 'device_filter', saved.id::text, saved.org_id, null,
    jsonb_build_object('name', saved.name, 'filter', saved.filter));
  return private.filter_json(saved);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'A filter of this name exists already.');
end
$function$;
grant execute on function ec.save_device_filter(uuid,text,jsonb) to authenticated;
comment on function ec.save_device_filter(uuid,text,jsonb) is 'Action control → {id, org_id, name, filter, created_by, created_at}. EC400, EC403, EC404, EC409 conflict';

CREATE OR REPLACE FUNCTION ec.send_command(serial text, type text, payload jsonb DEFAULT NULL::jsonb, expires_s integer DEFAULT 3600)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  max_open constant int := 100;
  device public.devices;
  command public.device_commands;
  is_there bool;
begin
  if type is null or type !~ '^[a-z][a-z0-9_]{0,39}$' then
    perform private.refuse('EC400', 'invalid_request', 'A type has up to 40 lower case letters, digits and "_".');
  elsif expires_s is null or expires_s not between 5 and 604800 then
    perform private.refuse('EC400', 'invalid_request', 'expires_s is a number of seconds from 5 to 604800.');
  elsif octet_length(private.compact_json(payload)) > 4096 then
    perform private.refuse('EC413', 'too_large', 'A payload has at most 4 KB.', '{"max_bytes": 4096}');
  end if;
  device := private.lock_device(send_command.serial, 'control');
  if device.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  elsif (
    select count(*) from public.device_commands c where c.device_num = device.num and c.state in ('queued', 'sent')
  ) >= max_open then
    perform private.refuse('EC409', 'conflict', format('%s commands wait for this device already.', max_open));
  end if;

  insert into public.device_commands
    (device_id, device_num, serial, org_id, tenure_id, type, payload, expires_at, created_by_kind, created_by_id, created_by_label)
  values (device.id, device.num, device.serial, device.org_id, device.tenure_id, send_command.type,
    nullif(send_command.payload, 'null'), clock_timestamp() + make_interval(secs => expires_s),
    coalesce(private.actor_kind(), 'system'), private.actor_id(), private.actor_label())
  returning * into command;
  perform private.write_audit('command_sent', 'device', device.serial, device.org_id, null,
    jsonb_strip_nulls(jsonb_build_object('id', command.id, 'type', command.type, 'payload', command.payload)));

  update public.device_state s set pending = true
  from public.product_types t
  where s.device_num = device.num and t.key = s.product_type
  returning s.connected and (s.announces or ec.device_status(
    s.last_seen, coalesce(device.online_window_s, t.online_window_s), clock_timestamp()) = 'online')
  into is_there;
  if is_there then
    perform ec.deliver_commands(array[device.num]);
  end if;
  perform private.show_commands(array[command.id]);
  return private.command_json(command);
end
$function$;
grant execute on function ec.send_command(text,text,jsonb,integer) to authenticated;
comment on function ec.send_command(text,text,jsonb,integer) is 'Queues a command, and sends it when the device is there → the command. EC400, EC403, EC404, EC409 conflict (retired, 100 open), EC413';

CREATE OR REPLACE FUNCTION ec.send_due_topics(topics text[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  at timestamptz := clock_timestamp();
  lease record;
  nums int[];
  overflow int[];
  message jsonb;
begin
  for lease in
    select l.topic, l.kind, l.device_num, l.job_id from ec.live_leases l
    where l.topic = any (topics) and l.expires_at > at
      and (l.last_sent_at is null or l.last_sent_at <= at - interval '500 milliseconds' or l.kind = 'device' and exists (
        select from public.devices d where d.num = l.device_num and d.desired_at > at - interval '10 seconds'))
      and exists (select from ec.live_pending p where p.topic = l.topic)
    order by l.topic
    for update skip locked
  loop
    with taken as (
      delete from ec.live_pending p where p.topic = lease.topic returning p.device_num
    )
    select array_agg(distinct t.device_num) into nums from taken t;
    continue when nums is null;

    -- One message stays small enough for every broker of broadcasts; the rest goes with the next one.
    overflow := nums[501:];
    if overflow <> '{}' then
      insert into ec.live_pending (topic, device_num) select lease.topic, n from unnest(overflow) n;
      nums := nums[:500];
    end if;

    if lease.kind = 'device' then
      select jsonb_build_object('serial', s.serial, 'ts', ec.iso_time(coalesce(s.reported_at, s.last_seen)),
        'data', s.reported - array(select jsonb_object_keys(s.older)), 'reported', s.reported, 'older', s.older,
        'reported_version', s.reported_version, 'last_seen', ec.iso_time(s.last_seen), 'connected', s.connected,
        'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), at))
      into message
      from public.device_state s
      join public.devices d on d.id = s.device_id
      join public.product_types t on t.key = s.product_type
      where s.device_num = lease.device_num;
      perform realtime.send(message, 'telemetry', lease.topic, true);
    elsif lease.kind = 'job' then
      select jsonb_build_object('id', j.id, 'number', j.number, 'state', j.state, 'stage', j.stage,
        'soaking_since', ec.iso_time(j.soaking_since), 'abort_reason', j.abort_reason, 'counts', private.ota_counts(j.id),
        'changed', coalesce((
          select jsonb_agg(jsonb_build_object('serial', e.serial, 'state', e.state, 'percent', e.percent, 'reason', e.reason,
            'attempt', e.attempt, 'at', ec.iso_time(e.changed_at)) order by e.changed_at, e.id)
          from public.ota_job_devices e where e.job_id = j.id and e.device_num = any (nums)
        ), '[]'))
      into message
      from public.ota_jobs j where j.id = lease.job_id;
      perform realtime.send(message, 'job', lease.topic, true);
    else
      select jsonb_build_object('devices', jsonb_agg(jsonb_build_object('serial', s.serial,
        'ts', ec.iso_time(coalesce(s.reported_at, s.last_seen)), 'last_seen', ec.iso_time(s.last_seen), 'connected', s.connected,
        'status', ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), at), 'values', s.reported)))
      into message
      from public.device_state s
      join public.devices d on d.id = s.device_id
      join public.product_types t on t.key = s.product_type
      where s.device_num = any (nums);
      perform realtime.send(message, 'fleet', lease.topic, true);
    end if;
    update ec.live_leases l set last_sent_at = at where l.topic = lease.topic;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION ec.session_is_live(session_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held record;
begin
  select s.user_id, to_jsonb(s) ->> 'aal' as level into held from auth.sessions s where s.id = session_is_live.session_id;
  if held.user_id is null then
    return false;
  end if;
  if held.level is not distinct from 'aal2' or to_regclass('auth.mfa_factors') is null then
    return true;
  end if;
  return not exists (select from auth.mfa_factors f where f.user_id = held.user_id and f.status::text = 'verified');
end
$function$;
grant execute on function ec.session_is_live(uuid) to authenticated;
grant execute on function ec.session_is_live(uuid) to ec_api;
comment on function ec.session_is_live(uuid) is 'False once the person signed out or was signed out, and before they showed the second factor they have';

CREATE OR REPLACE FUNCTION ec.set_shadow_desired(serial text, patch jsonb, if_match bigint DEFAULT NULL::bigint, client_token text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  max_bytes constant int := 8192;
  before public.devices;
  after public.devices;
  merged jsonb;
  reported jsonb;
  delta jsonb;
  reply jsonb;
begin
  perform private.require_shadow(patch);
  if octet_length(client_token) > 64 then
    perform private.refuse('EC400', 'invalid_request', 'A client token has at most 64 bytes.');
  end if;
  before := private.lock_shadow(set_shadow_desired.serial, array(select jsonb_object_keys(patch)));
  if before.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.');
  elsif if_match <> before.desired_version then
    perform private.refuse('EC409', 'stale_version', 'It was changed since you read it. Read it again.',
      jsonb_build_object('desired_version', before.desired_version, 'current', before.desired_version));
  end if;

  merged := private.merge_shadow(before.desired, patch);
  after := before;
  if merged <> before.desired then
    if octet_length(private.compact_json(merged)) > max_bytes then
      perform private.refuse('EC413', 'too_large', 'What is desired of a device has at most 8 KB.',
        jsonb_build_object('max_bytes', max_bytes));
    end if;
    update public.devices d set desired = merged, desired_version = d.desired_version + 1
    where d.id = before.id
    returning d.* into after;
    perform private.write_audit('shadow_desired_changed', 'device', after.serial, after.org_id, before.desired, after.desired);
  end if;

  select s.reported into reported from public.device_state s where s.device_num = after.num;
  delta := private.shadow_delta(after.desired, reported);
  -- The same wish again reaches a device that did not follow the first time.
  if after.desired_version > before.desired_version or delta <> '{}' then
    perform private.send_desired(after);
    perform private.send_shadow_document(after, delta, client_token);
  end if;
  reply := jsonb_build_object('serial', after.serial, 'desired_version', after.desired_version, 'desired', after.desired, 'delta', delta)
    || case when client_token is null then '{}' else jsonb_build_object('client_token', client_token) end;
  perform realtime.send(reply || jsonb_build_object('at', ec.iso_time(clock_timestamp())), 'shadow', l.topic, true)
  from ec.live_leases l
  where l.kind = 'device' and l.device_num = after.num and l.expires_at > clock_timestamp();
  return reply || jsonb_build_object('desired_times', after.desired_times, 'reported', reported,
    'changed', after.desired_version > before.desired_version);
end
$function$;
grant execute on function ec.set_shadow_desired(text,jsonb,bigint,text) to authenticated;
comment on function ec.set_shadow_desired(text,jsonb,bigint,text) is 'Merges a patch, null removes → {serial, desired_version, desired, desired_times, reported, delta, changed, client_token?}. EC400 {path}, EC403 {keys}, EC404, EC409 stale_version {desired_version} | conflict (retired), EC413';

CREATE OR REPLACE FUNCTION ec.setup_cron()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if to_regprocedure('cron.schedule(text, text, text)') is null then
    raise notice 'pg_cron is not installed: no jobs were scheduled';
    return;
  end if;
  perform cron.schedule(job.name, job.schedule, job.command)
  from (values
    ('ec_ensure_partitions', '7 * * * *', 'select ec.ensure_partitions(now())'),
    ('ec_drop_old_partitions', '17 * * * *', 'select ec.drop_old_partitions(now())'),
    ('ec_run_rollups', '30 seconds', 'select ec.run_rollups(now())'),
    ('ec_mark_offline', '30 seconds', 'select ec.mark_offline(now())'),
    ('ec_sweep_live', '5 seconds', 'select ec.sweep_live(now())'),
    ('ec_expire_credentials', '* * * * *', 'select ec.expire_credentials(now())'),
    ('ec_expire_commands', '30 seconds', 'select ec.expire_commands(now())'),
    ('ec_advance_ota_jobs', '30 seconds', 'select ec.advance_ota_jobs(now())'),
    ('ec_sweep_pending_firmware', '* * * * *', 'select ec.sweep_pending_firmware()'),
    ('ec_kick_mail', '* * * * *', 'select ec.kick_mail(now())'),
    ('ec_purge_expired', '23 * * * *', 'select ec.purge_expired(now())')
  ) job (name, schedule, command);
end
$function$;
comment on function ec.setup_cron() is 'Schedules all jobs by name; safe to repeat';

CREATE OR REPLACE FUNCTION ec.signing_key(product_type text, org_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object('public_key', k.public_key, 'private_key', s.decrypted_secret)
  from public.product_type_keys k join vault.decrypted_secrets s on s.id = k.secret_id
  where k.product_type = signing_key.product_type and k.maker_org_id = signing_key.org_id
$function$;
grant execute on function ec.signing_key(text,uuid) to ec_api;
comment on function ec.signing_key(text,uuid) is 'The API alone, never for a user''s eyes: {public_key, private_key}, null before the first need';

CREATE OR REPLACE FUNCTION ec.spread_arrivals(items jsonb, wanted integer[])
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select jsonb_agg(case when x.nth > 1 then jsonb_set(x.e, '{r}', to_jsonb(x.r + x.nth - 1)) else x.e end)
  from (
    select e, (e ->> 'i')::int as i, (e ->> 'r')::bigint as r, case when e ->> 't' is null
      then row_number() over (partition by e ->> 's', e ->> 'r', e ->> 't' is null order by (e ->> 'i')::int) else 1 end as nth
    from jsonb_array_elements(items) as e
  ) as x
  where (x.i in (select unnest(wanted))) is true
$function$;

CREATE OR REPLACE FUNCTION ec.store_signing_key(product_type text, org_id uuid, public_key text, private_key text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended(format('ec.store_signing_key %s %s', product_type, org_id), 0));
  if ec.signing_key(product_type, org_id) is null then
    insert into public.product_type_keys (product_type, maker_org_id, public_key, secret_id)
    values (product_type, org_id, public_key, vault.create_secret(private_key,
      format('ec_ota_key_%s_%s', product_type, org_id), format('Signs firmware of %s', product_type)));
  end if;
  return ec.signing_key(product_type, org_id);
end
$function$;
grant execute on function ec.store_signing_key(text,uuid,text,text) to ec_api;
comment on function ec.store_signing_key(text,uuid,text,text) is 'The API alone: keeps a new pair, or finds that somebody was faster; returns the pair that counts';

CREATE OR REPLACE FUNCTION ec.sum_of(readings double precision[])
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO ''
AS $function$ select coalesce(sum(v order by n), 0) from unnest(readings) with ordinality as r (v, n) $function$;
comment on function ec.sum_of(double precision[]) is 'Sum of a window of readings, oldest first';

CREATE OR REPLACE FUNCTION ec.sweep_live(now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  topics text[];
begin
  if exists (select from ec.live_leases l where l.expires_at <= sweep_live.now) then
    with ended as (
      delete from ec.live_leases l
      where l.topic in (select e.topic from ec.live_leases e where e.expires_at <= sweep_live.now for update skip locked)
      returning l.topic
    )
    delete from ec.live_pending p using ended where p.topic = ended.topic;
  end if;
  select array_agg(distinct p.topic) into topics from ec.live_pending p;
  if topics is not null then perform ec.send_due_topics(topics); end if;
  return (select count(*) from ec.live_leases);
end
$function$;
grant execute on function ec.sweep_live(timestamp with time zone) to ec_bridge;
grant execute on function ec.sweep_live(timestamp with time zone) to ec_worker;
comment on function ec.sweep_live(timestamp with time zone) is 'Trailing edge of live broadcast; returns the number of leases';

CREATE OR REPLACE FUNCTION ec.sweep_pending_firmware()
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.forget_pending_firmware(array(select d.id from public.devices d where d.pending_fw_version is not null))
$function$;
comment on function ec.sweep_pending_firmware() is 'Cron: devices that were busy when their update ended';

CREATE OR REPLACE FUNCTION ec.take_due(level text, now timestamp with time zone, max_buckets integer, OUT device_nums integer[], OUT org_nums integer[], OUT starts timestamp with time zone[], OUT ends timestamp with time zone[])
 RETURNS record
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  with due as (
    delete from ec.rollup_pending p
    where (p.level, p.device_num, p.org_num, p.bucket) in (
      select d.level, d.device_num, d.org_num, d.bucket from ec.rollup_pending d
      where d.level = take_due.level and d.ends_at <= take_due.now order by d.ends_at limit max_buckets)
    returning p.device_num, p.org_num, p.bucket, p.ends_at
  )
  select array_agg(d.device_num), array_agg(d.org_num), array_agg(d.bucket), array_agg(d.ends_at) from due d
$function$;

CREATE OR REPLACE FUNCTION ec.take_restarts(device_nums integer[])
 RETURNS integer[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  restarts int[];
  changed uuid[];
begin
  perform from public.device_commands c
  where c.device_num = any (device_nums) and c.type = 'reboot' and c.state in ('queued', 'sent') order by c.id for update;
  with taken as (
    update public.device_commands c set
      state = case when c.state = 'sent' then 'acknowledged' else 'sent' end,
      acknowledged_at = case when c.state = 'sent' then clock_timestamp() end,
      sent_at = case when c.state = 'sent' then c.sent_at else clock_timestamp() end,
      sent_door = 'https', sends = 1
    where c.device_num = any (device_nums) and c.type = 'reboot' and c.expires_at > clock_timestamp()
      and (c.state = 'queued' and c.outbox_id is null or c.state = 'sent' and c.sent_door = 'https')
    returning c.id, c.device_num, c.state
  )
  select array_agg(distinct t.device_num) filter (where t.state = 'sent'), array_agg(t.id) into restarts, changed from taken t;
  if changed is not null then
    perform private.show_commands(changed);
  end if;
  update public.device_state s set pending = false
  where s.device_num = any (device_nums) and s.pending and not private.is_awaited(s.device_num);
  return coalesce(restarts, '{}');
end
$function$;

CREATE OR REPLACE FUNCTION ec.take_turns(key text, max integer, window_s integer, wanted integer DEFAULT 1, at timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS TABLE(granted integer, retry_after integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  moment timestamptz := coalesce(take_turns.at, clock_timestamp());
  current_start timestamptz := to_timestamp(floor(extract(epoch from moment) / window_s) * window_s);
  first_grant int := greatest(0, least(wanted, take_turns.max));
begin
  return query
  insert into ec.rate_windows as w (key, window_start, used, granted)
  values (take_turns.key, current_start, first_grant, first_grant)
  on conflict (key) do update set
    window_start = greatest(w.window_start, current_start),
    used = case when w.window_start < current_start then first_grant
      else greatest(0, w.used + least(wanted, greatest(take_turns.max - w.used, 0))) end,
    granted = case when w.window_start < current_start then first_grant
      else greatest(-w.used, least(wanted, greatest(take_turns.max - w.used, 0))) end
  returning w.granted,
    greatest(1, ceil(extract(epoch from w.window_start + make_interval(secs => window_s) - moment)))::int;
end
$function$;
grant execute on function ec.take_turns(text,integer,integer,integer,timestamp with time zone) to ec_api;
comment on function ec.take_turns(text,integer,integer,integer,timestamp with time zone) is 'Takes up to wanted of max turns in this window; wanted 0 only looks, negative gives back → how many, seconds until the window ends';

CREATE OR REPLACE FUNCTION ec.telemetry_buckets(serial text, hours integer DEFAULT 24, metrics text[] DEFAULT NULL::text[], starts timestamp with time zone DEFAULT NULL::timestamp with time zone, ends timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS json
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET "TimeZone" TO 'UTC'
 SET jit TO 'off'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  device record;
  until_at timestamptz := least(coalesce(telemetry_buckets.ends, now()), now() + interval '5 minutes');
  from_at timestamptz := coalesce(telemetry_buckets.starts, until_at - make_interval(hours => telemetry_buckets.hours));
  plan record;
  width interval;
  rolled timestamptz := ec.rolled_until() - interval '2 minutes';
  level_width interval;
  minutes_from timestamptz;
  raw_from timestamptz;
  unrolled timestamptz[] := '{}';
  gap_s float8;
  series text;
begin
  select d.num, t.telemetry_interval_s into device
  from public.devices d left join public.product_types t on t.key = d.product_type
  where d.serial = telemetry_buckets.serial;
  if device.num is null then
    raise exception using errcode = 'EC404', message = 'not_found', detail = 'There is no such device, or you may not see it.';
  end if;
  if from_at >= until_at or until_at - from_at > interval '400 days' then
    raise exception using errcode = 'EC400', message = 'invalid_request', detail = 'The range must start before it ends and span at most 400 days.';
  end if;

  select * into plan from ec.chart_plan(from_at, until_at, now());
  width := make_interval(secs => plan.bucket_s);
  from_at := date_bin(width, from_at, 'epoch');
  raw_from := case when plan.source = 'raw' then from_at else least(greatest(from_at, rolled), until_at) end;
  level_width := case plan.source when '15m' then '15 minutes' when '5m' then '5 minutes' else '1 minute' end::interval;
  minutes_from := greatest(from_at, date_bin(level_width, raw_from, 'epoch'));
  if plan.source <> 'raw' then
    unrolled := array(select distinct date_bin(level_width, m, 'epoch') from unnest(ec.unrolled_minutes(device.num)) m where m < raw_from);
  end if;
  gap_s := greatest(2.5 * plan.bucket_s, 3 * coalesce(device.telemetry_interval_s, 5));

  -- Roll-ups are unnested in the select list: a function in FROM would cost a scan per row.
  with parts as (
    select e.key, e.at, 1 as n, e.v as lo, e.v as hi, e.v as total
    from (
      select t.ts as at, x.key, case when jsonb_typeof(x.value) = 'number' then x.value::float8 end as v
      from public.telemetry t cross join lateral jsonb_each(t.data) x
      where t.device_num = device.num and t.ts >= raw_from and t.ts <= until_at
      union all
      select t.ts, x.key, case when jsonb_typeof(x.value) = 'number' then x.value::float8 end
      from unnest(unrolled) as u (bucket)
      -- `offset 0` keeps the few buckets on the outside: the other way round it would read all raw rows.
      cross join lateral (
        select r.ts, r.data from public.telemetry r
        where r.device_num = device.num and r.ts >= greatest(u.bucket, from_at) and r.ts < least(u.bucket + level_width, raw_from)
        offset 0
      ) t
      cross join lateral jsonb_each(t.data) x
    ) e
    where e.v is not null
    union all
    select e.key, e.bucket, e.n, e.lo, e.hi, e.total from (
      select m.bucket, unnest(m.keys) as key, unnest(m.counts) as n, unnest(m.mins) as lo, unnest(m.maxs) as hi, unnest(m.sums) as total
      from public.rollups_1m m
      where m.device_num = device.num and m.bucket < raw_from and plan.source <> 'raw'
        and m.bucket >= case plan.source when '1m' then from_at else minutes_from end
        and not date_bin(level_width, m.bucket, 'epoch') = any (unrolled)
      union all
      select v.bucket, unnest(v.keys), unnest(v.counts), unnest(v.mins), unnest(v.maxs), unnest(v.sums)
      from public.rollups_5m v
      where v.device_num = device.num and v.bucket >= from_at and v.bucket < minutes_from and plan.source = '5m'
        and not v.bucket = any (unrolled)
      union all
      select q.bucket, unnest(q.keys), unnest(q.counts), unnest(q.mins), unnest(q.maxs), unnest(q.sums)
      from public.rollups_15m q
      where q.device_num = device.num and q.bucket >= from_at and q.bucket < minutes_from and plan.source = '15m'
        and not q.bucket = any (unrolled)
    ) e
  ), points as (
    select p.key, (floor(extract(epoch from p.at)::float8 / plan.bucket_s) * plan.bucket_s)::bigint as t,
      min(p.lo) as lo, max(p.hi) as hi, sum(p.total) / sum(p.n) as mean
    from parts p
    where telemetry_buckets.metrics is null or p.key = any (telemetry_buckets.metrics)
    group by 1, 2
  ), steps as materialized (
    select p.*, p.t - lag(p.t) over (partition by p.key order by p.t) as step from points p
  ), rhythms as materialized (
    -- A device that sends less often than its type says has a rhythm of its own, once there is enough of it.
    select jsonb_object_agg(r.key, r.gap_s) as by_key
    from (
      select s.key, 3 * percentile_disc(0.5) within group (order by s.step) as gap_s
      from steps s where s.step is not null group by s.key having count(*) >= 8
    ) r
  )
  select '{' || string_agg(to_json(l.key)::text || ':[' || l.line || ']', ',' order by l.key) || '}'
  into series
  from (
    select s.key, string_agg(
      concat(
        -- Asked at the first wide step only: most series have none.
        case when s.step > gap_s and s.step > coalesce(((select r.by_key from rhythms r) ->> s.key)::float8, 0) then 'null,[' else '[' end,
        s.t, '000,', s.lo, ',', case when abs(s.mean) between 0.01 and 1e11 then round(s.mean * 10000) / 10000 else s.mean end, ',', s.hi, ']'
      ), ',' order by s.t) as line
    from steps s
    group by s.key
  ) l;
  return concat('{"bucket_s":', plan.bucket_s, ',"from":"', ec.iso_time(from_at), '","to":"', ec.iso_time(until_at),
    '","series":', coalesce(series, '{}'), '}')::json;
end
$function$;
grant execute on function ec.telemetry_buckets(text,integer,text[],timestamp with time zone,timestamp with time zone) to authenticated;
comment on function ec.telemetry_buckets(text,integer,text[],timestamp with time zone,timestamp with time zone) is 'Chart series of a device, at most 600 points each';

CREATE OR REPLACE FUNCTION ec.unclaim_device(serial text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.devices;
  after public.devices;
  ended text;
begin
  select d.* into before from public.devices d where d.serial = unclaim_device.serial for no key update;
  -- GUARD: its customer gives it back themselves; everybody else needs the right to register
  if before.customer_id is null or before.customer_id is distinct from private.my_user_id()
    or before.id <> all (array(select private.my_device_ids())) then
    before := private.lock_device(unclaim_device.serial, 'provision');
  end if;
  if before.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired.');
  elsif before.customer_id is not null then
    ended := 'customer';
    after := private.remove_customer(before);
  elsif before.org_id <> before.maker_org_id then
    ended := 'holder';
    perform private.end_claim_codes(before.id, 'unclaimed');
    after := private.hand_over(before, before.maker_org_id, null, null, null);
    perform private.write_handover_audit('device_returned', before.serial, before.maker_org_id, 'its holder');
  elsif before.claimed_at is not null then
    ended := 'claim';
    perform private.end_claim_codes(before.id, 'unclaimed');
    after := private.hand_over(before, before.org_id, before.location_id, null, null);
  else
    perform private.refuse('EC409', 'conflict', 'Nobody has claimed this device.');
  end if;
  perform private.write_audit('device_unclaimed', 'device', before.serial, before.org_id,
    jsonb_build_object('customer_id', before.customer_id, 'claimed_at', before.claimed_at),
    jsonb_build_object('customer_id', null, 'claimed_at', null));
  return jsonb_build_object('serial', after.serial, 'ended', ended,
    'visible', private.can(after.org_id, 'read') or after.id = any (array(select private.my_device_ids())));
end
$function$;
grant execute on function ec.unclaim_device(text) to authenticated;
comment on function ec.unclaim_device(text) is 'One step back: its customer goes, else its holder (to its maker), else the claim → {serial, ended, visible}. EC403, EC404, EC409 conflict';

CREATE OR REPLACE FUNCTION ec.unrolled_minutes(device_num integer)
 RETURNS timestamp with time zone[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select coalesce(array_agg(distinct to_timestamp(x.minute * 60::float8)), '{}')
  from ec.ingest_log l cross join lateral unnest(l.device_nums, l.minutes) as x (device_num, minute)
  where unrolled_minutes.device_num = any (l.device_nums) and x.device_num = unrolled_minutes.device_num
$function$;
grant execute on function ec.unrolled_minutes(integer) to authenticated;

CREATE OR REPLACE FUNCTION ec.update_device(serial text, patch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.devices;
  after public.devices;
begin
  perform private.require_keys(patch, array['name', 'attributes', 'tags', 'online_window_s']);
  before := private.lock_device(update_device.serial, 'configure');
  if jsonb_typeof(patch -> 'attributes') <> 'object' or octet_length(patch ->> 'attributes') > 16384 then
    perform private.refuse('EC400', 'invalid_request', 'attributes is an object of at most 16 KB.');
  end if;
  if patch ? 'tags' and (
    jsonb_typeof(patch -> 'tags') <> 'array' or jsonb_array_length(patch -> 'tags') > 32
    or exists (select from jsonb_array_elements(patch -> 'tags') t where jsonb_typeof(t) <> 'string' or t #>> '{}' !~ '^\S(.{0,62}\S)?$')
  ) then
    perform private.refuse('EC400', 'invalid_request', 'tags is an array of at most 32 strings of 1 to 64 characters.');
  end if;
  update public.devices d set
    name = case when patch ? 'name' then patch ->> 'name' else d.name end,
    attributes = private.merge_patch(d.attributes, coalesce(patch -> 'attributes', '{}')),
    tags = case when patch ? 'tags'
      then array(select distinct t from jsonb_array_elements_text(patch -> 'tags') t order by t) else d.tags end,
    online_window_s = case when patch ? 'online_window_s' then (patch ->> 'online_window_s')::int else d.online_window_s end
  where d.id = before.id
  returning d.* into after;
  perform private.write_audit('device_updated', 'device', after.serial, after.org_id,
    private.device_json(before), private.device_json(after));
  return private.device_json(after);
end
$function$;
grant execute on function ec.update_device(text,jsonb) to authenticated;
comment on function ec.update_device(text,jsonb) is 'Keys name, attributes (merge, null removes), tags, online_window_s → the device. EC400, EC403, EC404';

CREATE OR REPLACE FUNCTION ec.update_firmware_notes(firmware_id uuid, notes text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.firmware := private.lock_firmware(firmware_id, false);
  after public.firmware;
begin
  if length(update_firmware_notes.notes) > 10000 then
    perform private.refuse('EC413', 'too_large', 'Notes have at most 10,000 characters.');
  end if;
  update public.firmware f set notes = coalesce(update_firmware_notes.notes, '') where f.id = before.id returning f.* into after;
  perform private.write_audit('firmware_updated', 'firmware', after.id::text, after.org_id,
    jsonb_build_object('notes', before.notes), jsonb_build_object('notes', after.notes));
  return private.firmware_json(after);
end
$function$;
grant execute on function ec.update_firmware_notes(uuid,text) to authenticated;
comment on function ec.update_firmware_notes(uuid,text) is 'Action ota → the firmware. EC403, EC404, EC413';

CREATE OR REPLACE FUNCTION ec.update_location(location_id uuid, patch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.locations;
  after public.locations;
begin
  before := private.require_location(update_location.location_id);
  perform private.require_keys(patch, array['name', 'parent_id', 'timezone']);
  if patch ->> 'timezone' is not null then
    perform private.require_timezone(patch ->> 'timezone');
  end if;
  update public.locations l set
    name = case when patch ? 'name' then patch ->> 'name' else l.name end,
    timezone = case when patch ? 'timezone' then patch ->> 'timezone' else l.timezone end,
    parent_id = case when patch ? 'parent_id' then (patch ->> 'parent_id')::uuid else l.parent_id end
  where l.id = before.id
  returning l.* into after;
  perform private.write_audit('location_updated', 'location', after.id::text, after.org_id, to_jsonb(before), to_jsonb(after));
  return to_jsonb(after);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'There is one of this name in the same place.');
end
$function$;
grant execute on function ec.update_location(uuid,jsonb) to authenticated;
comment on function ec.update_location(uuid,jsonb) is 'Keys name, parent_id, timezone → the location. EC400, EC403, EC404, EC409, EC422';

CREATE OR REPLACE FUNCTION ec.update_me(patch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if private.my_user_id() is null then
    perform private.refuse('EC403', 'forbidden', 'Only people have an account.');
  end if;
  perform private.require_keys(patch, array['full_name', 'preferences']);
  if length(btrim(patch ->> 'full_name')) not between 1 and 200 then
    perform private.refuse('EC400', 'invalid_request', 'full_name has 1 to 200 characters.');
  elsif jsonb_typeof(patch -> 'preferences') <> 'object' or octet_length(patch ->> 'preferences') > 16384 then
    perform private.refuse('EC400', 'invalid_request', 'preferences is an object of at most 16 KB.');
  end if;
  perform ec.ensure_profile();
  update public.profiles p set
    full_name = case when patch ? 'full_name' then btrim(patch ->> 'full_name') else p.full_name end,
    preferences = private.merge_patch(p.preferences, coalesce(patch -> 'preferences', '{}'))
  where p.id = private.my_user_id();
  return ec.me();
end
$function$;
grant execute on function ec.update_me(jsonb) to authenticated;
comment on function ec.update_me(jsonb) is 'Keys full_name, preferences (merge, null removes) → as ec.me(). EC400, EC401, EC403';

CREATE OR REPLACE FUNCTION ec.update_org(org_id uuid, patch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.orgs;
  after public.orgs;
begin
  perform private.require_org(update_org.org_id, 'configure');
  perform private.require_keys(patch, array['name', 'slug', 'plan', 'product', 'timezone', 'brand', 'partner_id']);
  select o.* into strict before from public.orgs o where o.id = update_org.org_id for update;
  -- GUARD: nobody raises their own plan or changes hands by themselves
  if patch ? 'partner_id' and not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators move an organisation to another partner.');
  end if;
  if patch ? 'plan' and not coalesce(before.partner_id in (select private.my_partner_ids()), false) and not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Your partner or the platform''s administrators change the plan.');
  end if;
  perform private.check_org_input(patch, before.id);
  update public.orgs o set
    name = case when patch ? 'name' then patch ->> 'name' else o.name end,
    slug = case when patch ? 'slug' then patch ->> 'slug' else o.slug end,
    plan = case when patch ? 'plan' then patch ->> 'plan' else o.plan end,
    product = case when patch ? 'product' then patch ->> 'product' else o.product end,
    timezone = case when patch ? 'timezone' then patch ->> 'timezone' else o.timezone end,
    brand = case when patch ? 'brand' then patch -> 'brand' else o.brand end,
    partner_id = case when patch ? 'partner_id' then (patch ->> 'partner_id')::uuid else o.partner_id end,
    -- The partner before loses its view.
    live_epoch = o.live_epoch + case when patch ? 'partner_id' then 1 else 0 end
  where o.id = before.id
  returning o.* into after;
  perform private.write_audit('org_updated', 'org', after.id::text, after.id, to_jsonb(before), to_jsonb(after));
  return to_jsonb(after);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This slug is in use; choose another.');
end
$function$;
grant execute on function ec.update_org(uuid,jsonb) to authenticated;
comment on function ec.update_org(uuid,jsonb) is 'Keys name, slug, plan, product, timezone, brand, partner_id → the org. EC400, EC403, EC404, EC409, EC422';

CREATE OR REPLACE FUNCTION ec.update_partner(partner_id uuid, patch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.partners;
  after public.partners;
begin
  if update_partner.partner_id is null or update_partner.partner_id not in (select private.my_partner_ids()) then
    perform private.refuse_missing();
  end if;
  perform private.require_keys(patch, array['name', 'slug', 'contact_email', 'plan']);
  if (patch ? 'plan' or patch ? 'slug') and not private.is_admin() then
    perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators change a partner''s plan or slug.');
  end if;
  select p.* into strict before from public.partners p where p.id = update_partner.partner_id for update;
  update public.partners p set
    name = case when patch ? 'name' then patch ->> 'name' else p.name end,
    slug = case when patch ? 'slug' then patch ->> 'slug' else p.slug end,
    contact_email = case when patch ? 'contact_email' then patch ->> 'contact_email' else p.contact_email end,
    plan = case when patch ? 'plan' then patch ->> 'plan' else p.plan end
  where p.id = before.id
  returning p.* into after;
  perform private.write_audit('partner_updated', 'partner', after.id::text, null, to_jsonb(before), to_jsonb(after), after.id);
  return to_jsonb(after);
exception when unique_violation then
  perform private.refuse('EC409', 'conflict', 'This slug is in use; choose another.');
end
$function$;
grant execute on function ec.update_partner(uuid,jsonb) to authenticated;
comment on function ec.update_partner(uuid,jsonb) is 'Keys name, contact_email; plan and slug for administrators → the partner. EC400, EC403, EC404, EC409';

CREATE OR REPLACE FUNCTION private.abort_job(job public.ota_jobs, reason jsonb)
 RETURNS public.ota_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  stopped public.ota_jobs;
begin
  update public.ota_jobs j set
    state = 'aborted', abort_reason = reason, finished_at = clock_timestamp(), soaking_since = null
  where j.id = job.id returning j.* into stopped;
  perform private.log_job(stopped, 'aborted', reason);
  if reason ->> 'kind' <> 'by_hand' then
    perform private.write_audit('ota_job_aborted', 'ota_job', stopped.id::text, stopped.org_id, null, reason || jsonb_build_object('number', stopped.number));
    perform private.notify_org(stopped.org_id, 'ota_job_aborted', 'bad',
      format('Update job #%s (%s) stopped itself', stopped.number, stopped.version),
      case when reason ->> 'kind' = 'failure_threshold'
        then format('%s of %s finished devices of stage %s failed. Nobody else gets it.',
          reason ->> 'failed', reason ->> 'finished', (reason ->> 'stage')::int + 1)
        else format('No device of stage %s succeeded. Nobody else gets it.', (reason ->> 'stage')::int + 1) end,
      format('/org/firmware/jobs/%s', stopped.id), jsonb_build_object('job', stopped.id));
  end if;
  return stopped;
end
$function$;

CREATE OR REPLACE FUNCTION private.actor_id()
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  claims jsonb := private.claims();
begin
  return case when claims ? 'ec_kind' then claims ->> 'ec_id' else claims ->> 'sub' end;
end
$function$;
grant execute on function private.actor_id() to authenticated;

CREATE OR REPLACE FUNCTION private.actor_kind()
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  claims jsonb := private.claims();
begin
  return case when claims ? 'ec_kind' then claims ->> 'ec_kind' when claims ? 'sub' then 'user' end;
end
$function$;
grant execute on function private.actor_kind() to authenticated;
comment on function private.actor_kind() is 'user, api_key, device, provisioning_key; null = the system itself';

CREATE OR REPLACE FUNCTION private.actor_label()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select case private.actor_kind()
    when 'user' then (select coalesce(p.email, p.id::text) from public.profiles p where p.id = private.actor_id())
    when 'api_key' then (select k.name || ' (' || k.prefix || '…)' from public.api_keys k where k.id = private.actor_id())
    when 'provisioning_key' then
      (select k.name || ' (' || k.prefix || '…)' from public.provisioning_keys k where k.id = private.actor_id())
    when 'device' then (select d.serial from public.devices d where d.id = private.actor_id())
    else 'system'
  end
$function$;

CREATE OR REPLACE FUNCTION private.advance_job(job public.ota_jobs, at timestamp with time zone)
 RETURNS public.ota_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  late bigint[];
begin
  select array_agg(x.id) into late from (
    select e.id from public.ota_job_devices e
    where e.job_id = job.id and e.state in ('sent', 'downloading', 'installing', 'rebooting') and e.timeout_at <= at
    order by e.id for update skip locked
  ) x;
  perform private.end_ota(late, 'timed_out', 'Nothing was heard of it in time.');
  if job.state = 'scheduled' and job.starts_at <= at then
    update public.ota_jobs j set state = 'running', started_at = clock_timestamp(), counting_since = clock_timestamp()
    where j.id = job.id returning j.* into job;
    perform private.log_job(job, 'started');
  end if;
  if job.state = 'running' then
    job := private.step_job(job, at);
  end if;
  if job.state = 'running' then
    perform private.send_released(job, at);
  elsif job.state = 'aborted' then
    perform private.cancel_waiting(job, 'The job was aborted.');
  end if;
  return job;
end
$function$;

CREATE OR REPLACE FUNCTION private.api_url()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select coalesce(
    rtrim(max(s.decrypted_secret) filter (where s.name = 'ec_api_url'), '/'),
    regexp_replace(max(s.decrypted_secret) filter (where s.name = 'ec_worker_url'), '/worker/*$', '/api'), '')
  from vault.decrypted_secrets s where s.name in ('ec_api_url', 'ec_worker_url')
$function$;
comment on function private.api_url() is 'Where devices reach the API; empty where nobody set it: then links are paths';

CREATE OR REPLACE FUNCTION private.audit_job(job public.ota_jobs, action text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.write_audit(audit_job.action, 'ota_job', job.id::text, job.org_id, null,
    jsonb_build_object('number', job.number, 'version', job.version))
$function$;

CREATE OR REPLACE FUNCTION private.can(org_id uuid, action text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  case private.actor_kind()
    when 'user' then
      return exists (
        select from private.my_memberships() m
        join public.orgs o on o.id = can.org_id
        where case m.role
          when 'admin' then true
          when 'partner' then m.partner_id = o.partner_id
            and can.action in ('read', 'configure', 'invite', 'provision')
          when 'org_admin' then m.org_id = o.id
          when 'operator' then m.org_id = o.id and can.action in ('read', 'control')
          when 'viewer' then m.org_id = o.id and can.action = 'read'
          else false
        end
      );
    when 'api_key' then
      return exists (
        select from private.my_api_key() k
        where k.org_id = can.org_id and case can.action
          when 'read' then 'read' when 'control' then 'write' when 'configure' then 'write'
          when 'ota' then 'ota' when 'provision' then 'provision'
        end = any (k.scopes)
      );
    when 'provisioning_key' then
      return can.action = 'provision'
        and exists (select from private.my_provisioning_key() k where k.org_id = can.org_id);
    else
      return false;
  end case;
end
$function$;
grant execute on function private.can(uuid,text) to authenticated;
comment on function private.can(uuid,text) is 'action: read, control (desired, commands), configure (settings), invite (hand out access), ota, provision (register)';

CREATE OR REPLACE FUNCTION private.can_join_topic(topic text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  kind text := split_part(topic, ':', 1);
  wanted_id uuid;
  wanted_epoch int;
begin
  if topic !~ '^(org|device|bell|job):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]{1,9}$' then
    return false;
  end if;
  -- A token made for named topics joins no others.
  if private.claims() ? 'ec_topics' and not private.claims() -> 'ec_topics' ? topic then
    return false;
  end if;
  wanted_id := split_part(topic, ':', 2);
  wanted_epoch := split_part(topic, ':', 3);
  if kind in ('org', 'bell') then
    return exists (
      select from public.orgs o
      where o.id = wanted_id and o.live_epoch = wanted_epoch and case kind
        when 'org' then o.id = any (array(select private.my_org_ids()))
        else o.id = any (array(select private.my_bell_org_ids())) end
    );
  elsif kind = 'job' then
    return exists (
      select from public.ota_jobs j join public.orgs o on o.id = j.org_id
      where j.id = wanted_id and o.live_epoch = wanted_epoch and o.id = any (array(select private.my_org_ids()))
    );
  end if;
  return exists (
    select from public.devices d join public.orgs o on o.id = d.org_id
    where d.id = wanted_id and o.live_epoch = wanted_epoch
      and (o.id = any (array(select private.my_org_ids())) or d.id = any (array(select private.my_device_ids())))
  );
end
$function$;
grant execute on function private.can_join_topic(text) to authenticated;

CREATE OR REPLACE FUNCTION private.cancel_waiting(job public.ota_jobs, reason text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held bigint[];
begin
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.job_id = job.id and e.state = 'queued' order by e.id for update skip locked
  ) x;
  perform private.withdraw_messages(array(select e.outbox_id from public.ota_job_devices e where e.id = any (held)));
  perform private.end_ota(array(
    select e.id from public.ota_job_devices e where e.id = any (held) and not private.is_on_its_way(e.outbox_id)
  ), 'cancelled', reason);
end
$function$;

CREATE OR REPLACE FUNCTION private.check_location_order()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  parent_type text;
begin
  select l.type into parent_type from public.locations l where l.id = new.parent_id and l.org_id = new.org_id;
  if new.parent_id is not null and parent_type is null then
    perform private.refuse('EC422', 'unprocessable', 'parent_id is no location of this organisation.');
  end if;
  if private.location_rank(parent_type) >= private.location_rank(new.type) then
    perform private.refuse('EC422', 'unprocessable',
      format('A %s cannot lie in a %s: the order is site, building, floor, room.', new.type, parent_type));
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION private.check_org_input(input jsonb, org_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if input ? 'timezone' then
    perform private.require_timezone(input ->> 'timezone');
  end if;
  if input ->> 'product' is not null then
    perform private.check_product_type(input ->> 'product', org_id);
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.check_product_type(product_type text, org_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  known jsonb;
begin
  select jsonb_agg(p.key order by p.key) into known from public.product_types p
  where p.maker_org_id is null or p.maker_org_id = check_product_type.org_id;
  if not coalesce(known ? product_type, false) then
    perform private.refuse('EC422', 'unprocessable',
      format('There is no product type "%s". Known: %s.', product_type, (select string_agg(k, ', ') from jsonb_array_elements_text(known) k)),
      jsonb_build_object('known', known));
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.check_provisioning_key(serial text, product_type text, is_new boolean)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  key public.provisioning_keys;
begin
  select k.* into key from public.provisioning_keys k
  where k.id = (select mine.id from private.my_provisioning_key() mine) for update;
  if key.product_type <> check_provisioning_key.product_type then
    perform private.refuse('EC403', 'forbidden', format('This key registers devices of type %s only.', key.product_type));
  end if;
  if key.mode = 'new' and not starts_with(serial, key.serial_prefix) then
    perform private.refuse('EC403', 'forbidden', format('This key registers serials starting with %s only.', key.serial_prefix));
  end if;
  if not is_new then
    return;
  end if;
  if key.mode = 'known' then
    perform private.refuse('EC403', 'forbidden', 'This key only registers serials that its organisation registered before.');
  end if;
  update public.provisioning_keys k set used_count = k.used_count + 1 where k.id = key.id and k.used_count < k.max_count;
  if not found then
    perform private.refuse('EC403', 'forbidden', format('This key has registered its %s devices.', key.max_count));
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.chip_key(chip text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select nullif(regexp_replace(lower(chip), '[^a-z0-9]', '', 'g'), '') $function$;
comment on function private.chip_key(text) is 'ESP32-S3 and esp32s3 are one chip';

CREATE OR REPLACE FUNCTION private.claim_state(ended_reason text, expires_at timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select case when ended_reason is not null then ended_reason when expires_at <= now() then 'expired' else 'claimable' end
$function$;
grant execute on function private.claim_state(text,timestamp with time zone) to authenticated;

CREATE OR REPLACE FUNCTION private.claims()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb;
end
$function$;
grant execute on function private.claims() to authenticated;

CREATE OR REPLACE FUNCTION private.clear_retained(serial text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.enqueue_mqtt(serial, kind, '', true) from unnest(array['shadow/desired', 'config']) kind
$function$;

CREATE OR REPLACE FUNCTION private.client_address()
 RETURNS inet
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return nullif(current_setting('ec.client_address', true), '')::inet;
exception when data_exception then
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION private.close_command(command public.device_commands, ok boolean, result jsonb)
 RETURNS public.device_commands
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION private.close_upload(firmware public.firmware, reason text)
 RETURNS public.firmware
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update public.firmware f set state = 'refused', refused_reason = close_upload.reason
  where f.id = firmware.id
  returning f.*
$function$;

CREATE OR REPLACE FUNCTION private.command_json(command public.device_commands)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select jsonb_build_object(
    'id', command.id, 'serial', command.serial, 'type', command.type, 'payload', command.payload, 'state', command.state,
    'created_at', ec.iso_time(command.created_at), 'created_by', command.created_by_label,
    'created_by_kind', command.created_by_kind, 'expires_at', ec.iso_time(command.expires_at),
    'sent_at', ec.iso_time(command.sent_at), 'sent_door', command.sent_door,
    'acknowledged_at', ec.iso_time(command.acknowledged_at), 'result', command.result, 'reason', command.reason)
$function$;

CREATE OR REPLACE FUNCTION private.command_message(command public.device_commands)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select jsonb_build_object('id', command.id, 'type', command.type, 'expires_at', ec.iso_time(command.expires_at))
    || case when command.payload is null then '{}' else jsonb_build_object('payload', command.payload) end
$function$;

CREATE OR REPLACE FUNCTION private.compact_json(document jsonb)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select regexp_replace(document::text, '("(?:[^"\\]|\\.)*")|([,:]) ', '\1\2', 'g') $function$;

CREATE OR REPLACE FUNCTION private.compare_parts(a text[], b text[], missing text)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  x text;
  y text;
  x_is_number bool;
  y_is_number bool;
begin
  for n in 1 .. greatest(cardinality(a), cardinality(b)) loop
    x := coalesce(a[n], missing);
    y := coalesce(b[n], missing);
    continue when x = y;
    x_is_number := x ~ '^[0-9]+$';
    y_is_number := y ~ '^[0-9]+$';
    if x_is_number and y_is_number then
      continue when x::numeric = y::numeric;
      return sign(x::numeric - y::numeric);
    elsif x = '' or y = '' then
      return case when x = '' then -1 else 1 end;
    elsif x_is_number <> y_is_number then
      return case when x_is_number then -1 else 1 end;
    end if;
    return case when x collate "C" < y collate "C" then -1 else 1 end;
  end loop;
  return 0;
end
$function$;

CREATE OR REPLACE FUNCTION private.compare_versions(a text, b text)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  -- What follows a plus says how it was built and makes nothing newer.
  x text := split_part(private.plain_version(a), '+', 1);
  y text := split_part(private.plain_version(b), '+', 1);
  core int;
  x_pre text := substring(x from '-(.*)$');
  y_pre text := substring(y from '-(.*)$');
begin
  if a is null or b is null then
    return (a is not null)::int - (b is not null)::int;
  end if;
  core := private.compare_parts(string_to_array(split_part(x, '-', 1), '.'), string_to_array(split_part(y, '-', 1), '.'), '0');
  if core <> 0 or x_pre is null or y_pre is null then
    return case when core <> 0 then core else (x_pre is null)::int - (y_pre is null)::int end;
  end if;
  return private.compare_parts(string_to_array(x_pre, '.'), string_to_array(y_pre, '.'), '');
end
$function$;
comment on function private.compare_versions(text,text) is '-1, 0, 1 as semantic versions are ordered: 1.10 after 1.9, 2.0-rc.1 before 2.0; null is older than all';

CREATE OR REPLACE FUNCTION private.complete_job(job public.ota_jobs)
 RETURNS public.ota_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  counts jsonb := private.ota_counts(job.id);
  made_it int := (counts ->> 'succeeded')::int;
  total int;
  done public.ota_jobs;
begin
  select sum(c.value::int) into total from jsonb_each_text(counts) c;
  update public.ota_jobs j set state = 'completed', finished_at = clock_timestamp(), soaking_since = null
  where j.id = job.id returning j.* into done;
  perform private.log_job(done, 'completed', jsonb_build_object('succeeded', made_it, 'devices', total));
  perform private.notify_org(done.org_id, 'ota_job_finished', case when made_it = total then 'info' else 'warn' end,
    format('Update job #%s is finished', done.number),
    format('%s of %s devices run %s.', made_it, total, done.version),
    format('/org/firmware/jobs/%s', done.id), jsonb_build_object('job', done.id));
  return done;
end
$function$;

CREATE OR REPLACE FUNCTION private.create_device(serial text, product_type text, fw_version text, org_id uuid)
 RETURNS public.devices
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
begin
  if exists (
    select from public.serial_prefixes r
    where starts_with(create_device.serial, r.prefix) and r.maker_org_id <> create_device.org_id
  ) then
    perform private.refuse('EC409', 'serial_taken', 'This serial number is not available.');
  end if;
  perform private.require_room_in_plan(create_device.org_id, 'devices');
  insert into public.devices (serial, product_type, fw_version, maker_org_id, org_id, registered_by_kind, registered_by_id)
  values (serial, product_type, fw_version, org_id, org_id, private.actor_kind(), private.actor_id())
  on conflict on constraint devices_serial_key do nothing
  returning * into device;
  if device.id is not null then
    perform private.start_tenure(device.id, false);
  end if;
  return device;
end
$function$;

CREATE OR REPLACE FUNCTION private.deliver_ota(device_nums integer[], reborn boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held bigint[];
  due bigint[];
begin
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.device_num = any (device_nums) and e.released
      and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
    order by e.id for update
  ) x;
  if held is null then
    return;
  end if;
  -- A statement of its own: it sees what the last holder of the locks has done to the job.
  due := private.due_ota(held, reborn);
  if due is not null then
    perform private.log_ota(array(
      select e.id from public.ota_job_devices e where e.id = any (due) and e.state <> 'queued'), 'resent');
    perform private.send_ota(due);
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.device_json(device public.devices)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object(
    'id', device.id, 'serial', device.serial, 'product_type', device.product_type, 'fw_version', device.fw_version,
    'lifecycle', device.lifecycle, 'org_id', device.org_id, 'maker_org_id', device.maker_org_id,
    'location_id', device.location_id, 'name', device.name,
    'attributes', device.attributes, 'tags', device.tags, 'online_window_s', device.online_window_s,
    'created_at', device.created_at, 'claimed_at', device.claimed_at, 'retired_at', device.retired_at,
    'telemetry_interval_s', p.telemetry_interval_s, 'ota_public_key', k.public_key
  )
  from public.product_types p
  left join public.product_type_keys k on k.product_type = device.product_type and k.maker_org_id = device.maker_org_id
  where p.key = device.product_type
$function$;

CREATE OR REPLACE FUNCTION private.due_ota(execution_ids bigint[], reborn boolean DEFAULT false)
 RETURNS bigint[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  at timestamptz := clock_timestamp();
  due bigint[];
begin
  update public.ota_job_devices e set not_before = private.window_opens(j.job_window, e.zone, at)
  from public.ota_jobs j
  where e.id = any (execution_ids) and e.state = 'queued' and (e.not_before <= at) is not false
    and j.id = e.job_id and j.job_window is not null and private.window_opens(j.job_window, e.zone, at) > at;
  select array_agg(e.id order by e.id) into due
  from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id
  where e.id = any (execution_ids) and e.released and not private.is_on_its_way(e.outbox_id)
    and case e.state
      when 'queued' then j.state = 'running' and (e.not_before <= at) is not false
      when 'sent' then j.state <> 'aborted' and (reborn or e.sent_at < at - private.resend_after(e.sends))
      else reborn and e.state in ('downloading', 'installing')
    end;
  return due;
end
$function$;

CREATE OR REPLACE FUNCTION private.end_claim_codes(device_id uuid, reason text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update public.claim_codes c set
    revoked_at = case when c.used_at is null then coalesce(c.revoked_at, now()) else c.revoked_at end,
    ended_reason = reason
  where c.device_id = end_claim_codes.device_id and coalesce(c.ended_reason, 'used') = 'used'
$function$;
comment on function private.end_claim_codes(uuid,text) is 'A code tells why it no longer works, a used one too';

CREATE OR REPLACE FUNCTION private.end_commands(device_id uuid, reason text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  ended uuid[];
  messages bigint[];
begin
  perform from public.device_state s where s.device_id = end_commands.device_id and s.pending for no key update;
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
  update public.device_state s set pending = false
  where s.device_id = end_commands.device_id and s.pending and not private.is_awaited(s.device_num);
end
$function$;

CREATE OR REPLACE FUNCTION private.end_leases()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  with ended as (
    delete from ec.live_leases l
    where l.topic in (select e.topic from ec.live_leases e where e.org_id = new.id order by e.topic for update)
    returning l.topic
  )
  delete from ec.live_pending p using ended where p.topic = ended.topic;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION private.end_memberships()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  delete from public.memberships m where m.user_id = old.id;
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION private.end_ota(execution_ids bigint[], state text, reason text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  messages bigint[];
  device_ids uuid[];
begin
  select array_agg(e.outbox_id), array_agg(e.device_id) into messages, device_ids
  from public.ota_job_devices e where e.id = any (execution_ids);
  if device_ids is null then
    return;
  end if;
  update public.ota_job_devices e set
    state = end_ota.state, reason = left(end_ota.reason, 500), outbox_id = null, not_before = null, timeout_at = null,
    percent = case when end_ota.state = 'succeeded' then null else e.percent end,
    changed_at = clock_timestamp(), finished_at = clock_timestamp()
  where e.id = any (execution_ids);
  perform private.withdraw_messages(messages);
  perform private.log_ota(execution_ids);
  perform private.show_ota(execution_ids);
  perform private.forget_pending_firmware(device_ids);
  perform pg_notify('ec_ota', '');
end
$function$;

CREATE OR REPLACE FUNCTION private.end_ota_of_device()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held bigint[];
begin
  perform from public.device_state s where s.device_num = new.num for no key update;
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.device_num = new.num and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
    order by e.id for update
  ) x;
  perform private.end_ota(held, 'cancelled', case when new.lifecycle = 'retired' then 'retired' else 'handed_over' end);
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION private.end_room_code(room_id uuid, reason text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update public.room_codes c set revoked_at = now(), ended_reason = reason
  where c.location_id = room_id and c.revoked_at is null
$function$;

CREATE OR REPLACE FUNCTION private.enqueue_mail(org_id uuid, to_address text, template text, data jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  outbox_id bigint;
begin
  insert into ec.mail_outbox (org_id, to_address, template, data) values (org_id, to_address, template, data)
  returning id into outbox_id;
  perform private.kick_worker('mail');
  return outbox_id;
end
$function$;

CREATE OR REPLACE FUNCTION private.enqueue_mqtt(serial text, kind text, payload text, retain boolean DEFAULT false, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  outbox_id bigint;
begin
  insert into ec.mqtt_outbox (serial, topic, payload, retain, expires_at)
  values (serial, format('devices/%s/%s', serial, kind), payload, retain, expires_at)
  returning id into outbox_id;
  perform pg_notify('ec_mqtt_outbox', '');
  return outbox_id;
end
$function$;
comment on function private.enqueue_mqtt(text,text,text,boolean,timestamp with time zone) is 'kind = the rest of the topic after devices/<serial>/';

CREATE OR REPLACE FUNCTION private.failed_stage(job public.ota_jobs)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  tally record;
begin
  for n in 0 .. job.stage loop
    tally := private.tally_stage(job, n);
    if tally.failed >= coalesce(job.failure_min, case when n = 0 and jsonb_array_length(job.stages) > 1
        and tally.devices <= 10 then 1 else 3 end)
      and tally.failed * 100 >= job.failure_pct * (tally.finished + tally.under_way) then
      return jsonb_build_object('kind', 'failure_threshold', 'stage', n, 'failed', tally.failed, 'finished', tally.finished,
        'pct', round(100.0 * tally.failed / (tally.finished + tally.under_way), 1));
    end if;
  end loop;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION private.few_serials(part jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select case when part ? 'serials' then part || jsonb_build_object('serials', jsonb_path_query_array(part, '$.serials[0 to 19]')) else part end
$function$;

CREATE OR REPLACE FUNCTION private.filter_json(filter public.device_filters)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select jsonb_build_object('id', filter.id, 'org_id', filter.org_id, 'name', filter.name, 'filter', filter.filter,
    'created_by', filter.created_by_label, 'created_at', ec.iso_time(filter.created_at))
$function$;

CREATE OR REPLACE FUNCTION private.filtered_devices(org_id uuid, filter jsonb)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with recursive below as (
    select l.id from public.locations l
    where l.org_id = filtered_devices.org_id and l.id = coalesce(filter ->> 'room_id', filter ->> 'location_id')::uuid
    union select l.id from public.locations l join below b on l.parent_id = b.id
  )
  select d.id
  from public.devices d
  join public.product_types t on t.key = d.product_type
  left join public.device_state s on s.device_num = d.num
  where d.org_id = filtered_devices.org_id
    and (not filter ?| array['room_id', 'location_id'] or d.location_id in (select b.id from below b))
    and (not filter ? 'product_type' or d.product_type = filter ->> 'product_type')
    and (not filter ? 'fw_version' or d.fw_version = filter ->> 'fw_version')
    and (not filter ? 'tag' or d.tags @> array[filter ->> 'tag'])
    and (not filter ? 'status' or filter ->> 'status'
      = ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), clock_timestamp()))
    and case when filter ? 'lifecycle' then d.lifecycle = filter ->> 'lifecycle' else d.lifecycle <> 'retired' end
    and (not filter ? 'q' or position(lower(filter ->> 'q') in lower(d.serial)) > 0
      or position(lower(filter ->> 'q') in lower(d.name)) > 0)
$function$;

CREATE OR REPLACE FUNCTION private.find_or_create_location(org_id uuid, parent_id uuid, type text, name text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  found_id uuid;
begin
  insert into public.locations (org_id, parent_id, type, name)
  values (
    find_or_create_location.org_id, find_or_create_location.parent_id, find_or_create_location.type, find_or_create_location.name)
  on conflict do nothing
  returning id into found_id;
  if found_id is not null then
    perform private.write_audit('location_created', 'location', found_id::text, find_or_create_location.org_id, null,
      jsonb_build_object('type', find_or_create_location.type, 'name', find_or_create_location.name));
    return found_id;
  end if;
  select l.id into strict found_id from public.locations l
  where l.org_id = find_or_create_location.org_id
    and l.parent_id is not distinct from find_or_create_location.parent_id
    and l.type = find_or_create_location.type and lower(l.name) = lower(find_or_create_location.name);
  return found_id;
end
$function$;

CREATE OR REPLACE FUNCTION private.firmware_json(firmware public.firmware)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select jsonb_build_object(
    'id', firmware.id, 'org_id', firmware.org_id, 'product_type', firmware.product_type, 'version', firmware.version,
    'notes', firmware.notes, 'filename', firmware.filename, 'size', firmware.size, 'sha256', firmware.sha256,
    'signature', firmware.signature, 'chip', firmware.chip, 'project', firmware.project,
    'idf_version', firmware.idf_version, 'raw', firmware.raw, 'object_path', firmware.object_path,
    'state', firmware.state, 'refused_reason', firmware.refused_reason, 'created_by', firmware.created_by_label,
    'created_by_kind', firmware.created_by_kind, 'created_at', ec.iso_time(firmware.created_at),
    'ready_at', ec.iso_time(firmware.ready_at))
$function$;

CREATE OR REPLACE FUNCTION private.firmware_uploader(firmware_id uuid)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select f.created_by_label from public.firmware f
  where f.id = firmware_uploader.firmware_id and f.org_id = any (array(select private.my_org_ids()))
$function$;
grant execute on function private.firmware_uploader(uuid) to authenticated;
comment on function private.firmware_uploader(uuid) is 'Null for who only holds devices of the maker';

CREATE OR REPLACE FUNCTION private.follow_firmware()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  changed int[];
  held bigint[];
  version text;
  gone bigint[];
begin
  select array_agg(c.num) into changed from (
    select n.num, n.fw_version from new_rows n where n.fw_version is not null
    except select o.num, o.fw_version from old_rows o
  ) c;
  if changed is null then
    return null;
  end if;
  -- Registering names a version as well.
  update public.device_state s set
    fw_version = n.fw_version, named_version = n.fw_version, named_version_at = clock_timestamp()
  from new_rows n
  where n.num = any (changed) and s.device_num = n.num and s.fw_version is distinct from n.fw_version;
  held := private.hold_current_otas(changed);
  if held is null then
    return null;
  end if;
  perform private.end_ota(array(
    select e.id
    from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id join new_rows n on n.id = e.device_id
    where e.id = any (held) and private.plain_version(n.fw_version) = j.version
      and (private.is_open(e.state) or e.state in ('failed', 'timed_out', 'rolled_back'))
  ), 'succeeded', null);
  -- What has not begun would take it back.
  perform private.end_ota(array(
    select e.id
    from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id join new_rows n on n.id = e.device_id
    where e.id = any (held) and e.state = 'queued' and not j.force and not private.is_on_its_way(e.outbox_id)
      and private.compare_versions(n.fw_version, j.version) > 0
  ), 'cancelled', 'It runs a newer version.');
  for version, gone in
    select n.fw_version, array_agg(e.id)
    from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id join new_rows n on n.id = e.device_id
    where e.id = any (held) and e.state = 'succeeded' and private.compare_versions(n.fw_version, j.version) < 0
      and j.state in ('running', 'paused')
    group by n.fw_version
  loop
    perform private.end_ota(gone, 'rolled_back', format('It runs %s again.', version));
  end loop;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION private.follow_membership()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  was_active bool := tg_op <> 'INSERT' and old.ended_at is null;
  is_active bool := tg_op <> 'DELETE' and new.ended_at is null;
  lost_access bool := was_active and (
    not is_active or (old.user_id, old.role, old.partner_id, old.org_id, old.location_id)
      is distinct from (new.user_id, new.role, new.partner_id, new.org_id, new.location_id));
  gained_access bool := is_active and (not was_active or lost_access);
  device public.devices;
begin
  if lost_access and old.role = 'tenant' then
    for device in
      select d.* from public.devices d
      where d.org_id = old.org_id and d.location_id = old.location_id and d.lifecycle <> 'retired' order by d.id
    loop
      perform private.start_tenure(device.id, not private.has_tenants(old.location_id));
    end loop;
  end if;
  if lost_access and old.role = 'customer' then
    for device in
      select d.* from public.devices d
      where d.customer_id = old.user_id and d.org_id = old.org_id and d.lifecycle <> 'retired' order by d.id for no key update
    loop
      perform private.remove_customer(device);
      perform private.write_audit('device_unclaimed', 'device', device.serial, device.org_id,
        jsonb_build_object('customer_id', device.customer_id), '{"customer_id": null}');
    end loop;
  end if;
  if gained_access and new.role = 'tenant' then
    for device in
      select d.* from public.devices d
      where d.org_id = new.org_id and d.location_id = new.location_id and d.lifecycle <> 'retired' order by d.id
    loop
      perform private.start_tenure(device.id, false);
      perform private.forget_readings(device.id);
    end loop;
  end if;
  if lost_access then
    -- Live topics carry the epoch: sockets that joined under the old one hear nothing new.
    perform from public.orgs o
    where o.id = old.org_id or o.partner_id = old.partner_id or old.role = 'admin' order by o.id for no key update;
    update public.orgs o set live_epoch = o.live_epoch + 1
    where o.id = old.org_id or o.partner_id = old.partner_id or old.role = 'admin';
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION private.forget_notifications(org_id uuid, at timestamp with time zone)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  delete from public.notifications n
  where n.id in (
    select o.id from public.notifications o
    where o.org_id = forget_notifications.org_id and o.created_at < greatest(at - interval '90 days', (
      select k.created_at from public.notifications k where k.org_id = forget_notifications.org_id
      order by k.created_at desc offset 999 limit 1))
    for update skip locked)
$function$;

CREATE OR REPLACE FUNCTION private.forget_pending_firmware(device_ids uuid[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update public.devices d set pending_fw_version = null, pending_fw_url = null
  where d.id in (
    select x.id from public.devices x
    where x.id = any (device_ids) and x.pending_fw_version is not null
      and not exists (
        select from public.ota_job_devices e
        where e.device_num = x.num and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting'))
    order by x.id for no key update skip locked
  )
$function$;

CREATE OR REPLACE FUNCTION private.forget_readings(device_id uuid)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update public.device_state s set
    reported = '{}', reported_at = null, older = '{}', packet_keys = '{}', reported_version = s.reported_version + 1,
    w_temp = '{}', w_hum = '{}', w_co2 = '{}', w_bat = '{}', s_temp = 0, s_hum = 0, s_co2 = 0, s_bat = 0
  where s.device_id = forget_readings.device_id
$function$;

CREATE OR REPLACE FUNCTION private.free_slug(name text, fallback text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  base text := btrim(left(btrim(regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'), '-'), 48), '-');
  candidate text := coalesce(nullif(base, ''), fallback);
begin
  perform pg_advisory_xact_lock(hashtext('private.free_slug'));
  while exists (select from public.orgs o where o.slug = candidate)
    or exists (select from public.partners p where p.slug = candidate) loop
    candidate := coalesce(nullif(base, ''), fallback) || '-' || left(md5(gen_random_uuid()::text), 6);
  end loop;
  return candidate;
end
$function$;

CREATE OR REPLACE FUNCTION private.grant_membership(user_id uuid, invitation public.invitations)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  held public.memberships;
  granted uuid;
begin
  if private.staff_rank(invitation.role) is not null then
    select m.* into held from public.memberships m
    where m.user_id = grant_membership.user_id and m.org_id = invitation.org_id and m.ended_at is null
      and private.staff_rank(m.role) is not null
    order by private.staff_rank(m.role) desc limit 1 for update;
    if held.id is null then
      perform private.require_room_in_plan(invitation.org_id, 'users');
    elsif private.staff_rank(held.role) >= private.staff_rank(invitation.role) then
      return held.id;
    else
      update public.memberships m set role = invitation.role where m.id = held.id;
      return held.id;
    end if;
  end if;
  insert into public.memberships (user_id, role, partner_id, org_id, location_id)
  values (grant_membership.user_id, invitation.role, invitation.partner_id, invitation.org_id, invitation.location_id)
  on conflict do nothing returning id into granted;
  if granted is null then
    select m.id into strict granted from public.memberships m
    where m.user_id = grant_membership.user_id and m.ended_at is null
      and (m.role, m.partner_id, m.org_id, m.location_id)
        is not distinct from (invitation.role, invitation.partner_id, invitation.org_id, invitation.location_id);
  end if;
  return granted;
end
$function$;

CREATE OR REPLACE FUNCTION private.grantable_scopes(org_id uuid)
 RETURNS text[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select array_agg(scope order by n)
  from (values
    (1, 'read', array['read']), (2, 'write', array['control', 'configure']), (3, 'ota', array['ota']), (4, 'provision', array['provision'])
  ) s (n, scope, actions)
  where (select bool_and(private.can(org_id, a)) from unnest(actions) a)
$function$;

CREATE OR REPLACE FUNCTION private.hand_out_ota(device_num integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  execution public.ota_job_devices;
begin
  select e.* into execution from public.ota_job_devices e
  where e.device_num = hand_out_ota.device_num and e.released and e.state in ('queued', 'sent', 'downloading', 'installing')
  for update;
  if execution.id is null or execution.state = 'sent'
    and exists (select from public.ota_jobs j where j.id = execution.job_id and j.state = 'aborted') then
    return '{}';
  elsif execution.state = 'queued' then
    -- On its way over MQTT as well: the device knows an attempt it has seen.
    if not private.is_on_its_way(execution.outbox_id) and private.due_ota(array[execution.id]) is null then
      return '{}';
    end if;
    update public.ota_job_devices e set sent_at = clock_timestamp(), sends = e.sends + 1 where e.id = execution.id;
    perform private.mark_ota_sent(array[execution.id]);
  end if;
  return (
    select jsonb_build_object('fw_url', m.message -> 'url', 'fw_version', m.message -> 'version') || (m.message - '{url,version}'::text[])
    from private.make_ota_messages(array[execution.id]) m
  );
end
$function$;

CREATE OR REPLACE FUNCTION private.hand_over(device public.devices, org_id uuid, location_id uuid, customer_id uuid, claimed_at timestamp with time zone)
 RETURNS public.devices
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  changes_org bool := hand_over.org_id <> device.org_id;
  -- What its maker wrote on it goes with it, what a holder wrote does not.
  forget_words bool := changes_org and device.org_id <> device.maker_org_id;
  after public.devices;
begin
  update public.devices d set
    org_id = hand_over.org_id, location_id = hand_over.location_id, customer_id = hand_over.customer_id,
    claimed_at = hand_over.claimed_at,
    lifecycle = case when hand_over.claimed_at is null then 'manufactured' else 'claimed' end,
    name = case when forget_words then null else d.name end,
    tags = case when forget_words then '{}' else d.tags end,
    attributes = case when forget_words then '{}' else d.attributes end,
    pending_fw_version = case when changes_org then null else d.pending_fw_version end,
    pending_fw_url = case when changes_org then null else d.pending_fw_url end
  where d.id = device.id
  returning d.* into after;
  perform private.start_tenure(device.id, true);
  -- The next packet makes it active again.
  update public.device_state s set
    active = false, last_seen = null, last_telemetry_at = null, last_door = null, last_seq = null,
    offline_alerted_at = null, packet_keys = '{}'
  where s.device_id = device.id;
  if changes_org then
    perform private.raise_epochs(array[device.org_id, hand_over.org_id]);
  elsif device.customer_id is not null and hand_over.customer_id is distinct from device.customer_id then
    perform private.raise_epochs(array[device.org_id]);
  end if;
  return after;
end
$function$;
comment on function private.hand_over(public.devices,uuid,uuid,uuid,timestamp with time zone) is 'claimed_at null = unclaimed; the caller holds the device''s lock and has checked everything';

CREATE OR REPLACE FUNCTION private.has_tenants(location_id uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select exists (
    select from public.memberships m
    where m.location_id = has_tenants.location_id and m.role = 'tenant' and m.ended_at is null
  )
$function$;

CREATE OR REPLACE FUNCTION private.hears_since(org_id uuid)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if private.actor_kind() = 'api_key' then
    return (select k.created_at from private.my_api_key() k where k.org_id = hears_since.org_id and 'read' = any (k.scopes));
  end if;
  return (select min(m.created_at) from private.my_memberships() m
    where m.role = 'admin' or m.role in ('org_admin', 'operator') and m.org_id = hears_since.org_id);
end
$function$;
comment on function private.hears_since(uuid) is 'Since when the actor hears the bell of an org; null = not at all';

CREATE OR REPLACE FUNCTION private.hold_current_otas(device_nums integer[])
 RETURNS bigint[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held bigint[];
begin
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.id = any (array(
      select c.id
      from public.devices d
      cross join lateral (
        select o.id from public.ota_job_devices o
        where o.device_id = d.id and o.org_id = d.org_id
        order by private.is_open(o.state) desc, o.queued_at desc, o.id desc limit 1
      ) c
      where d.num = any (device_nums)
    ))
    order by e.id for update
  ) x;
  return held;
end
$function$;

CREATE OR REPLACE FUNCTION private.import_device(org_id uuid, item jsonb, location_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  before public.devices;
  after public.devices;
  patch jsonb;
  created bool := false;
  changes jsonb;
begin
  select d.* into before from public.devices d where d.serial = item ->> 'serial' for no key update;
  if before.id is null then
    perform private.require_org(import_device.org_id, 'provision');
    if coalesce(item ->> 'product_type', '') = '' then
      perform private.refuse('EC422', 'unprocessable', 'A new device needs a product type.', '{"column": "product_type"}');
    end if;
    perform private.check_product_type(item ->> 'product_type', import_device.org_id);
    before := private.create_device(item ->> 'serial', item ->> 'product_type', null, import_device.org_id);
    created := before.id is not null;
    if created then
      perform private.write_audit('device_registered', 'device', before.serial, before.org_id, null,
        jsonb_build_object('serial', before.serial, 'product_type', before.product_type));
    end if;
  end if;
  -- GUARD: another org's serial says only that it is taken
  if before.id is null or before.org_id <> import_device.org_id then
    perform private.refuse('EC409', 'serial_taken', 'This serial number is not available.', '{"column": "serial"}');
  elsif before.lifecycle = 'retired' then
    perform private.refuse('EC409', 'conflict', 'This device is retired; register it again first.', '{"column": "serial"}');
  elsif nullif(item ->> 'product_type', '') <> before.product_type then
    perform private.refuse('EC409', 'conflict', format('This serial is registered as %s.', before.product_type),
      '{"column": "product_type"}');
  end if;

  select coalesce(jsonb_object_agg(e.key, case when e.key = 'name' and e.value = '""' then 'null' else e.value end), '{}')
  into patch from jsonb_each(item) e where e.key in ('name', 'tags', 'attributes') and e.value <> 'null';
  if patch <> '{}' then
    perform ec.update_device(before.serial, patch);
  end if;
  if item ->> 'location' is not null then
    perform ec.assign_device(before.serial, jsonb_build_object('location_id', import_device.location_id));
  end if;
  select d.* into strict after from public.devices d where d.id = before.id;

  select jsonb_object_agg(x.key, jsonb_build_object('from', case when not created then x.was end, 'to', x.becomes)) into changes
  from (
    select 'product_type', to_jsonb(before.product_type), to_jsonb(after.product_type) where created
    union all
    select 'name', to_jsonb(before.name), to_jsonb(after.name) where before.name is distinct from after.name
    union all
    select 'tags', to_jsonb(before.tags), to_jsonb(after.tags) where before.tags <> after.tags
    union all
    select 'location', to_jsonb(private.location_path(before.location_id, ' / ')), to_jsonb(private.location_path(after.location_id, ' / '))
    where before.location_id is distinct from after.location_id
    union all
    select 'attributes.' || k.key, before.attributes -> k.key, after.attributes -> k.key
    from jsonb_object_keys(before.attributes || after.attributes) k (key)
    where before.attributes -> k.key is distinct from after.attributes -> k.key
  ) x (key, was, becomes);
  return jsonb_build_object('changes', coalesce(changes, '{}'),
    'action', case when created then 'create' when changes is null then 'unchanged' else 'update' end);
end
$function$;

CREATE OR REPLACE FUNCTION private.import_error(field text, code text, detail text)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select jsonb_build_object('column', field, 'code', code, 'detail', detail)
$function$;

CREATE OR REPLACE FUNCTION private.import_errors(item jsonb, matches integer, first_line integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select coalesce(jsonb_agg(e.error) filter (where e.wrong), '[]') from (values
    (coalesce(item ->> 'serial', '') !~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$',
      private.import_error('serial', 'invalid_request',
        'A serial has 3 to 64 letters, digits, - or _, and starts with a letter or digit.')),
    (first_line is not null,
      private.import_error('serial', 'conflict', format('Line %s has the same serial.', first_line))),
    (length(item ->> 'name') > 200 or item ->> 'name' ~ '^\s+$',
      private.import_error('name', 'invalid_request', 'A name has 1 to 200 characters.')),
    (item ->> 'location' <> '' and matches = 0,
      private.import_error('location', 'not_found',
        format('There is no place "%s". Write it as Site / Building / Floor / Room.', item ->> 'location'))),
    (item ->> 'location' <> '' and matches > 1,
      private.import_error('location', 'conflict', format('There are several places "%s".', item ->> 'location'))),
    (jsonb_typeof(item -> 'tags') = 'array' and (jsonb_array_length(item -> 'tags') > 32 or exists (
        select from jsonb_array_elements_text(case when jsonb_typeof(item -> 'tags') = 'array' then item -> 'tags' else '[]' end) t
        where t !~ '^\S(.{0,62}\S)?$')),
      private.import_error('tags', 'invalid_request', 'At most 32 tags of 1 to 64 characters, separated by semicolons.'))
  ) e (wrong, error)
$function$;

CREATE OR REPLACE FUNCTION private.invitation_json(invitation public.invitations)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select to_jsonb(invitation) - array['token_sha256', 'accepted_by', 'membership_id'] || jsonb_build_object(
    'state', private.invitation_state(invitation.accepted_at, invitation.revoked_at, invitation.expires_at),
    'invited_by', (select p.email from public.profiles p where p.id = invitation.invited_by))
$function$;

CREATE OR REPLACE FUNCTION private.invitation_state(accepted_at timestamp with time zone, revoked_at timestamp with time zone, expires_at timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select case when accepted_at is not null then 'accepted' when revoked_at is not null then 'revoked'
    when expires_at <= now() then 'expired' else 'open' end
$function$;
grant execute on function private.invitation_state(timestamp with time zone,timestamp with time zone,timestamp with time zone) to authenticated;

CREATE OR REPLACE FUNCTION private.is_admin()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  return exists (select from private.my_memberships() m where m.role = 'admin');
end
$function$;
grant execute on function private.is_admin() to authenticated;

CREATE OR REPLACE FUNCTION private.is_awaited(device_num integer)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select exists (
    select from public.device_commands c
    where c.device_num = is_awaited.device_num and c.state in ('queued', 'sent') and c.expires_at > clock_timestamp()
  ) or exists (
    select from public.ota_job_devices e
    where e.device_num = is_awaited.device_num and e.released
      and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
  ) or exists (
    -- Its device row was busy when it named another version.
    select from public.device_state s
    where s.device_num = is_awaited.device_num and s.named_version <> coalesce(s.fw_version, '')
  )
$function$;
comment on function private.is_awaited(integer) is 'What device_state.pending says, looked up';

CREATE OR REPLACE FUNCTION private.is_int(value jsonb, least_value integer, most integer)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select coalesce(jsonb_typeof(value) = 'number' and (value #>> '{}')::numeric % 1 = 0
    and (value #>> '{}')::numeric between least_value and most, false)
$function$;

CREATE OR REPLACE FUNCTION private.is_on_its_way(outbox_id bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select exists (
    select from ec.mqtt_outbox o
    where o.id = is_on_its_way.outbox_id and o.sent_at is null and o.expires_at > clock_timestamp())
$function$;
comment on function private.is_on_its_way(bigint) is 'The message waits for a bridge, or a bridge has it';

CREATE OR REPLACE FUNCTION private.is_open(state text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select state in ('queued', 'sent', 'downloading', 'installing', 'rebooting') $function$;

CREATE OR REPLACE FUNCTION private.is_ota_word(state text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select state in ('downloading', 'installing', 'rebooting', 'deferred', 'failed', 'rejected', 'rolled_back') $function$;

CREATE OR REPLACE FUNCTION private.is_version(version text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select version ~ '^[0-9A-Za-z][0-9A-Za-z.+_-]{0,30}$' $function$;
comment on function private.is_version(text) is 'What fits into an ESP32 image header: 31 characters';

CREATE OR REPLACE FUNCTION private.item_error(state text, code text, detail text, hint text)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select case when state like 'EC4%'
    then jsonb_build_object('status', state, 'code', code, 'detail', detail, 'extra', nullif(hint, '')::jsonb)
    else jsonb_build_object('status', 'EC422', 'code', 'unprocessable', 'detail', code, 'extra', null)
  end
$function$;

CREATE OR REPLACE FUNCTION private.kick_worker(job text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  url text;
  secret text;
begin
  if current_setting('ec.kicked_' || job, true) = 'yes' or to_regclass('vault.decrypted_secrets') is null
    or not exists (select from pg_catalog.pg_namespace n where n.nspname = 'net') then
    return;
  end if;
  select max(s.decrypted_secret) filter (where s.name = 'ec_worker_url'),
    max(s.decrypted_secret) filter (where s.name = 'ec_worker_secret')
  into url, secret from vault.decrypted_secrets s where s.name in ('ec_worker_url', 'ec_worker_secret');
  if url is null or secret is null then
    return;
  end if;
  perform net.http_post(
    url => url, body => jsonb_build_object('jobs', jsonb_build_array(job)),
    headers => jsonb_build_object('Content-Type', 'application/json', 'Authorization', 'Bearer ' || secret));
  perform set_config('ec.kicked_' || job, 'yes', true);
end
$function$;

CREATE OR REPLACE FUNCTION private.location_path(location_id uuid, separator text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with recursive up as (
    select l.parent_id, l.name, 1 as depth from public.locations l where l.id = location_path.location_id
    union all
    select l.parent_id, l.name, up.depth + 1 from up join public.locations l on l.id = up.parent_id
  )
  select string_agg(up.name, separator order by up.depth desc) from up
$function$;

CREATE OR REPLACE FUNCTION private.location_paths(org_id uuid)
 RETURNS TABLE(id uuid, path text, key text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with recursive tree as (
    select l.id, l.name as path from public.locations l where l.org_id = location_paths.org_id and l.parent_id is null
    union all
    select l.id, tree.path || ' / ' || l.name from tree join public.locations l on l.parent_id = tree.id
  )
  select t.id, t.path, private.path_key(t.path) from tree t
$function$;

CREATE OR REPLACE FUNCTION private.location_rank(type text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select array_position(array['site', 'building', 'floor', 'room'], type)
$function$;

CREATE OR REPLACE FUNCTION private.lock_device(serial text, action text)
 RETURNS public.devices
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
begin
  select d.* into device from public.devices d where d.serial = lock_device.serial for no key update;
  if private.can(device.org_id, action) then
    if private.actor_kind() = 'provisioning_key' then
      perform private.refuse('EC403', 'forbidden', 'A provisioning key only registers devices.');
    end if;
    return device;
  end if;
  if device.id = any (array(select private.my_device_ids())) then
    perform private.refuse('EC403', 'forbidden', 'You may read this device but not change it.');
  end if;
  perform private.require_org(device.org_id, action);
  return device;
end
$function$;
comment on function private.lock_device(text,text) is 'The device, locked until commit, when the actor may do the action';

CREATE OR REPLACE FUNCTION private.lock_firmware(firmware_id uuid, uploading boolean)
 RETURNS public.firmware
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  firmware public.firmware;
begin
  select f.* into firmware from public.firmware f where f.id = lock_firmware.firmware_id for no key update;
  perform private.require_org(firmware.org_id, 'ota');
  if uploading and firmware.state <> 'uploading' then
    perform private.refuse('EC409', 'conflict', 'This upload has ended.', jsonb_build_object('state', firmware.state));
  end if;
  return firmware;
end
$function$;

CREATE OR REPLACE FUNCTION private.lock_invitation(invitation_id uuid)
 RETURNS public.invitations
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  invitation public.invitations;
begin
  select i.* into invitation from public.invitations i where i.id = lock_invitation.invitation_id for update;
  perform private.require_inviter(case when invitation.id is null then '{}' else jsonb_build_object(
    'org_id', invitation.org_id, 'partner_id', invitation.partner_id, 'role', invitation.role,
    'location_id', invitation.location_id) end);
  return invitation;
end
$function$;

CREATE OR REPLACE FUNCTION private.lock_job(job_id uuid, states text[])
 RETURNS public.ota_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  job public.ota_jobs;
begin
  select j.* into job from public.ota_jobs j where j.id = lock_job.job_id for no key update;
  perform private.require_org(job.org_id, 'ota');
  if job.state <> all (states) then
    perform private.refuse('EC409', 'conflict', format('This job is %s.', job.state), jsonb_build_object('state', job.state));
  end if;
  return job;
end
$function$;

CREATE OR REPLACE FUNCTION private.lock_membership(membership_id uuid)
 RETURNS public.memberships
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  member public.memberships;
begin
  select m.* into member from public.memberships m where m.id = lock_membership.membership_id for update;
  if member.org_id is not null or member.id is null then
    perform private.require_org(member.org_id, 'invite');
  elsif not private.is_admin() then
    if member.partner_id in (select private.my_partner_ids()) then
      perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators change who belongs to a partner.');
    end if;
    perform private.refuse_missing();
  end if;
  return member;
end
$function$;

CREATE OR REPLACE FUNCTION private.lock_shadow(serial text, keys text[])
 RETURNS public.devices
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
  refused text[];
begin
  select d.* into device from public.devices d where d.serial = lock_shadow.serial for no key update;
  if private.can(device.org_id, 'control') then
    return device;
  end if;
  if exists (
    select from private.my_memberships() m
    where m.role = 'customer' and m.user_id = device.customer_id and m.org_id = device.org_id
  ) then
    select array_agg(k order by k) into refused from unnest(lock_shadow.keys) k
    where k <> all (select unnest(t.controllable_keys) from public.product_types t where t.key = device.product_type);
    if refused is null then
      return device;
    end if;
    perform private.refuse('EC403', 'forbidden',
      format('You may not set %s on this device.', array_to_string(refused, ', ')), jsonb_build_object('keys', refused));
  end if;
  if device.id = any (array(select private.my_device_ids())) then
    perform private.refuse('EC403', 'forbidden', 'You may read this device but not change it.');
  end if;
  perform private.require_org(device.org_id, 'control');
  return device;
end
$function$;

CREATE OR REPLACE FUNCTION private.log_job(job public.ota_jobs, event text, detail jsonb DEFAULT '{}'::jsonb)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  insert into public.ota_events (job_id, org_id, state, detail) values (job.id, job.org_id, event, jsonb_strip_nulls(detail));
  select private.show_ota('{}', array[job.id])
$function$;

CREATE OR REPLACE FUNCTION private.log_ota(execution_ids bigint[], event text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  insert into public.ota_events (job_id, job_device_id, org_id, serial, state, detail)
  select e.job_id, e.id, e.org_id, e.serial, e.state, jsonb_strip_nulls(jsonb_build_object(
    'event', log_ota.event, 'percent', e.percent, 'reason', e.reason, 'attempt', nullif(e.attempt, 1)))
  from public.ota_job_devices e where e.id = any (execution_ids) order by e.id
$function$;
comment on function private.log_ota(bigint[],text) is 'The state they have now; event says more: resent, url_refreshed, deferred';

CREATE OR REPLACE FUNCTION private.mail_invitation(invitation public.invitations, url text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- A link that was replaced must not arrive after the one that works.
  delete from ec.mail_outbox o
  where o.template = 'invitation' and o.sent_at is null and o.data ->> 'invitation_id' = invitation.id::text;
  perform private.enqueue_mail(invitation.org_id, invitation.email, 'invitation', jsonb_build_object(
    'invitation_id', invitation.id, 'url', url, 'email', invitation.email, 'role', invitation.role,
    'org', private.org_face(invitation.org_id), 'partner', private.partner_face(invitation.partner_id),
    'room', (select l.name from public.locations l where l.id = invitation.location_id),
    'inviter', (select coalesce(p.full_name, p.email) from public.profiles p where p.id = private.my_user_id()),
    'expires_at', invitation.expires_at));
end
$function$;

CREATE OR REPLACE FUNCTION private.make_job(org_id uuid, job jsonb, single boolean)
 RETURNS public.ota_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  at timestamptz := clock_timestamp();
  firmware public.firmware;
  device_ids uuid[] := (private.ota_targets(make_job.org_id, job -> 'target')).device_ids;
  number int;
  empty_stage int;
  plan record;
  made public.ota_jobs;
  org_zone text := private.zone_of(make_job.org_id, null);
begin
  perform pg_advisory_xact_lock(hashtextextended('private.make_job ' || make_job.org_id, 0));
  number := private.next_job_number(make_job.org_id);
  -- Nobody retires it meanwhile.
  perform from public.firmware f where f.id = (job ->> 'firmware_id')::uuid for share;
  firmware := private.usable_firmware(make_job.org_id, (job ->> 'firmware_id')::uuid);
  device_ids := array(
    select d.id from public.devices d where d.id = any (device_ids) and d.org_id = make_job.org_id order by d.id for no key update);
  plan := private.plan_job(firmware, device_ids, job, number);
  if not exists (select from unnest(plan.places) p where p.reason is null) then
    perform private.refuse('EC422', 'unprocessable', 'No device would get it.', jsonb_build_object(
      'reasons', private.reason_counts(plan.places), 'reason', (select p.reason from unnest(plan.places) p limit 1),
      'detail', (select p.detail from unnest(plan.places) p limit 1)));
  elsif (select count(*) from unnest(plan.places) p where p.reason is null) > private.max_job_devices() then
    perform private.refuse('EC422', 'unprocessable', 'A job has at most 50,000 devices.');
  end if;
  -- Devices that are named to go first protect the others: with a slip of the pen nobody would.
  select min(s.n) into empty_stage from jsonb_array_elements(plan.stages) with ordinality s (part, n)
  where s.part ? 'serials' and s.part -> 'devices' = '0';
  if empty_stage is not null then
    perform private.refuse('EC422', 'unprocessable', format('None of the devices stage %s names would get it.', empty_stage),
      jsonb_build_object('reason', 'empty_stage', 'stage', empty_stage - 1));
  end if;
  perform private.supersede_ota(array(select p.device_num from unnest(plan.places) p where p.reason is null), number);

  insert into public.ota_jobs (org_id, number, firmware_id, product_type, version, name, target, stages, failure_pct, failure_min,
    timeout_s, force, job_window, starts_at, state, single, created_by_kind, created_by_id, created_by_label)
  values (make_job.org_id, number, firmware.id, firmware.product_type, firmware.version, nullif(btrim(job ->> 'name'), ''),
    job -> 'target', plan.stages, (job ->> 'failure_pct')::int, (job ->> 'failure_min')::int, (job ->> 'timeout_s')::int,
    (job ->> 'force')::bool, job -> 'window', coalesce((job ->> 'starts_at')::timestamptz, at), 'scheduled', make_job.single,
    coalesce(private.actor_kind(), 'system'), private.actor_id(), private.actor_label())
  returning * into made;
  -- A bridge may hold a message of the older job since the plan was made; then the device stays with that one.
  insert into public.ota_job_devices (job_id, device_id, device_num, serial, org_id, stage, position, from_version, zone)
  select made.id, p.device_id, p.device_num, p.serial, made.org_id, p.stage, p.position, p.fw_version, coalesce(z.zone, org_zone)
  from unnest(plan.places) p
  join public.devices d on d.id = p.device_id
  left join (
    select x.location_id, private.zone_of(made.org_id, x.location_id) as zone
    from (select distinct o.location_id from public.devices o where o.id = any (device_ids)) x
  ) z on z.location_id = d.location_id
  where p.reason is null
  order by p.stage, p.position
  on conflict (device_num) where state in ('queued', 'sent', 'downloading', 'installing', 'rebooting') do nothing;
  update public.devices d set
    pending_fw_version = made.version, pending_fw_url = format('%s/firmware/%s/file', private.api_url(), made.firmware_id)
  where d.id in (select e.device_id from public.ota_job_devices e where e.job_id = made.id);
  insert into public.ota_events (job_id, job_device_id, org_id, serial, state)
  select e.job_id, e.id, e.org_id, e.serial, e.state from public.ota_job_devices e where e.job_id = made.id order by e.id;

  perform private.log_job(made, 'created', jsonb_build_object('by', made.created_by_label, 'devices', cardinality(plan.places)
    - (select count(*) from unnest(plan.places) p where p.reason is not null)));
  perform private.write_audit(case when single then 'ota_pushed' else 'ota_job_created' end,
    case when single then 'device' else 'ota_job' end,
    case when single then plan.places[1].serial else made.id::text end, made.org_id, null,
    jsonb_build_object('number', made.number, 'version', made.version, 'product_type', made.product_type));
  return private.advance_job(made, at);
end
$function$;

CREATE OR REPLACE FUNCTION private.make_ota_messages(execution_ids bigint[])
 RETURNS TABLE(execution_id bigint, serial text, message jsonb)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
declare
  address text := private.api_url();
begin
  return query
  with made as materialized (
    select e.id, e.serial, e.attempt, e.job_id, f.id as firmware_id, j.version, f.size, f.sha256, f.signature, j.product_type,
      translate(encode(extensions.gen_random_bytes(24), 'base64'), '+/', '-_') as token
    from public.ota_job_devices e
    join public.ota_jobs j on j.id = e.job_id
    join public.firmware f on f.id = j.firmware_id
    where e.id = any (execution_ids)
  ), linked as (
    insert into ec.firmware_links (token_sha256, firmware_id, job_device_id, expires_at)
    select sha256(convert_to(m.token, 'UTF8')), m.firmware_id, m.id, clock_timestamp() + interval '1 hour' from made m
  )
  select m.id, m.serial, jsonb_build_object('url', format('%s/firmware/files/%s', address, m.token), 'version', m.version,
    'job_id', m.job_id, 'attempt', m.attempt, 'size', m.size, 'sha256', m.sha256, 'signature', m.signature,
    'product_type', m.product_type)
  from made m order by m.id;
end
$function$;

CREATE OR REPLACE FUNCTION private.mark_ota_sent(execution_ids bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if execution_ids is not null then
    update public.ota_job_devices e set
      state = 'sent', changed_at = clock_timestamp(), not_before = null, reason = null,
      timeout_at = clock_timestamp() + make_interval(secs => j.timeout_s)
    from public.ota_jobs j where e.id = any (execution_ids) and j.id = e.job_id;
    perform private.log_ota(execution_ids);
    perform private.show_ota(execution_ids);
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.max_firmware_bytes()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select 33554432 $function$;

CREATE OR REPLACE FUNCTION private.max_job_devices()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select 50000 $function$;

CREATE OR REPLACE FUNCTION private.may_issue_secret(device public.devices)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with issued as (
    select c.* from public.device_credentials c where c.device_id = device.id and c.created_at >= device.registered_at
  )
  select not exists (select from issued where first_used_at is not null) and coalesce(
    (
      select (i.issued_by_kind, i.issued_by_id) = (private.actor_kind(), private.actor_id())
        or private.actor_kind() = 'provisioning_key' and i.issued_by_kind <> 'provisioning_key'
      from issued i order by i.created_at desc limit 1
    ),
    true
  )
$function$;

CREATE OR REPLACE FUNCTION private.member_json(member public.memberships)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object(
    'id', member.id, 'user_id', member.user_id, 'email', p.email, 'full_name', p.full_name, 'role', member.role,
    'location_id', member.location_id, 'location_name', l.name, 'created_at', member.created_at)
  from public.profiles p left join public.locations l on l.id = member.location_id
  where p.id = member.user_id
$function$;

CREATE OR REPLACE FUNCTION private.membership_json(membership_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object(
    'id', m.id, 'role', m.role, 'partner_id', m.partner_id, 'partner_name', p.name,
    'org_id', m.org_id, 'org_name', o.name, 'org_slug', o.slug, 'location_id', m.location_id, 'location_name', l.name)
  from public.memberships m
  left join public.partners p on p.id = m.partner_id
  left join public.orgs o on o.id = m.org_id
  left join public.locations l on l.id = m.location_id
  where m.id = membership_json.membership_id
$function$;

CREATE OR REPLACE FUNCTION private.merge_patch(document jsonb, patch jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select coalesce(
    (select jsonb_object_agg(e.key, e.value) from jsonb_each(document || patch) e where e.value <> 'null'), '{}')
$function$;
comment on function private.merge_patch(jsonb,jsonb) is 'Top-level merge; null removes a key';

CREATE OR REPLACE FUNCTION private.merge_shadow(document jsonb, patch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  merged jsonb := document;
  entry record;
begin
  for entry in select e.key, e.value, jsonb_typeof(e.value) as kind from jsonb_each(patch) e loop
    if entry.kind = 'null' then
      merged := merged - entry.key;
    elsif entry.kind = 'object' then
      merged := merged || jsonb_build_object(entry.key, private.merge_shadow(
        case when jsonb_typeof(merged -> entry.key) = 'object' then merged -> entry.key else '{}' end, entry.value));
    else
      merged := merged || jsonb_build_object(entry.key, entry.value);
    end if;
  end loop;
  return merged;
end
$function$;
comment on function private.merge_shadow(jsonb,jsonb) is 'Objects key by key at any depth, null removes a key, everything else replaces; arrays are opaque';

CREATE OR REPLACE FUNCTION private.merge_shadows(document jsonb, patches jsonb[])
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  merged jsonb := document;
  patch jsonb;
begin
  foreach patch in array patches loop
    merged := private.merge_shadow(merged, patch);
  end loop;
  return merged;
end
$function$;

CREATE OR REPLACE FUNCTION private.move_out_tenants(room public.locations)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  moved int;
begin
  update public.memberships m set ended_at = now()
  where m.org_id = room.org_id and m.location_id = room.id and m.role = 'tenant' and m.ended_at is null;
  get diagnostics moved = row_count;
  if moved > 0 then
    perform private.write_audit('tenants_moved_out', 'location', room.id::text, room.org_id, jsonb_build_object('tenants', moved));
  end if;
  return moved;
end
$function$;

CREATE OR REPLACE FUNCTION private.my_api_key()
 RETURNS SETOF public.api_keys
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 1
 SET search_path TO ''
AS $function$
declare
  me uuid := case when private.actor_kind() = 'api_key' then private.actor_id() end;
begin
  return query select k.* from public.api_keys k
  where k.id = me and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
end
$function$;
grant execute on function private.my_api_key() to authenticated;

CREATE OR REPLACE FUNCTION private.my_bell_org_ids()
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 10
 SET search_path TO ''
AS $function$
begin
  if private.token_is_void() then
    return;
  elsif private.is_admin() then
    return query select o.id from public.orgs o;
    return;
  end if;
  return query
    select m.org_id from private.my_memberships() m where m.role in ('org_admin', 'operator')
    union
    select k.org_id from private.my_api_key() k where 'read' = any (k.scopes);
end
$function$;
grant execute on function private.my_bell_org_ids() to authenticated;

CREATE OR REPLACE FUNCTION private.my_device_ids()
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
begin
  return query
    select d.id from private.my_memberships() m
    join public.devices d on d.org_id = m.org_id and d.location_id = m.location_id where m.role = 'tenant'
    union
    select d.id from private.my_memberships() m
    join public.devices d on d.customer_id = m.user_id and d.org_id = m.org_id where m.role = 'customer';
end
$function$;
grant execute on function private.my_device_ids() to authenticated;
comment on function private.my_device_ids() is 'Devices in a tenant''s room and devices of a customer';

CREATE OR REPLACE FUNCTION private.my_location_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with recursive mine as (
    select l.id, l.parent_id from private.my_memberships() m
    join public.locations l on l.id = m.location_id where m.role = 'tenant'
    union
    select l.id, l.parent_id from mine join public.locations l on l.id = mine.parent_id
  )
  select id from mine
$function$;
grant execute on function private.my_location_ids() to authenticated;
comment on function private.my_location_ids() is 'A tenant''s room and what it lies in';

CREATE OR REPLACE FUNCTION private.my_managed_org_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select o.id from public.orgs o where (select private.is_admin())
  union
  select o.id from private.my_memberships() m join public.orgs o on o.partner_id = m.partner_id where m.role = 'partner'
  union
  select m.org_id from private.my_memberships() m where m.role = 'org_admin'
$function$;
grant execute on function private.my_managed_org_ids() to authenticated;
comment on function private.my_managed_org_ids() is 'Orgs where the actor may see and hand out access (action invite)';

CREATE OR REPLACE FUNCTION private.my_memberships()
 RETURNS SETOF public.memberships
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 2
 SET search_path TO ''
AS $function$
declare
  me uuid := private.my_user_id();
begin
  return query select m.* from public.memberships m where m.user_id = me and m.ended_at is null;
end
$function$;
grant execute on function private.my_memberships() to authenticated;

CREATE OR REPLACE FUNCTION private.my_org_ids()
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 10
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  reach record;
begin
  select * into reach from private.my_reach();
  if reach.everything then
    return query select o.id from public.orgs o;
  elsif reach.partner_ids = '{}' then
    return query select distinct i from unnest(reach.org_ids) i;
  else
    return query select o.id from public.orgs o where o.partner_id = any (reach.partner_ids)
      union select unnest(reach.org_ids);
  end if;
end
$function$;
grant execute on function private.my_org_ids() to authenticated;
comment on function private.my_org_ids() is 'Orgs the actor may read as a whole';

CREATE OR REPLACE FUNCTION private.my_org_nums()
 RETURNS SETOF integer
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 10
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  reach record;
begin
  select * into reach from private.my_reach();
  if reach.everything then
    return query select o.num from public.orgs o;
  elsif reach.partner_ids = '{}' then
    return query select o.num from public.orgs o where o.id = any (reach.org_ids);
  else
    return query select o.num from public.orgs o where o.partner_id = any (reach.partner_ids)
      union select o.num from public.orgs o where o.id = any (reach.org_ids);
  end if;
end
$function$;
grant execute on function private.my_org_nums() to authenticated;

CREATE OR REPLACE FUNCTION private.my_partner_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select p.id from public.partners p where (select private.is_admin())
  union
  select m.partner_id from private.my_memberships() m where m.role = 'partner'
$function$;
grant execute on function private.my_partner_ids() to authenticated;

CREATE OR REPLACE FUNCTION private.my_people_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select p.id from public.profiles p where (select private.is_admin())
  union
  select m.user_id from public.memberships m
  where m.org_id = any (array(select private.my_org_ids())) or m.partner_id = any (array(select private.my_partner_ids()))
$function$;
grant execute on function private.my_people_ids() to authenticated;

CREATE OR REPLACE FUNCTION private.my_portal_org_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select m.org_id from private.my_memberships() m where m.role in ('customer', 'tenant')
$function$;
grant execute on function private.my_portal_org_ids() to authenticated;
comment on function private.my_portal_org_ids() is 'Orgs the actor is a customer or tenant of';

CREATE OR REPLACE FUNCTION private.my_product_types()
 RETURNS SETOF text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select p.key from public.product_types p
  where p.maker_org_id is null
    or p.maker_org_id = any (array(select private.my_org_ids()))
    or exists (
      select from public.devices d
      where d.product_type = p.key and d.org_id = any (array(select private.my_org_ids()))
    )
    or p.key in (select d.product_type from public.devices d where d.id = any (array(select private.my_device_ids())))
$function$;
grant execute on function private.my_product_types() to authenticated;
comment on function private.my_product_types() is 'Types open to everybody, of the actor''s orgs, or of devices they see';

CREATE OR REPLACE FUNCTION private.my_provisioning_key()
 RETURNS SETOF public.provisioning_keys
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 1
 SET search_path TO ''
AS $function$
declare
  me uuid := case when private.actor_kind() = 'provisioning_key' then private.actor_id() end;
begin
  return query select k.* from public.provisioning_keys k
  where k.id = me and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
end
$function$;
grant execute on function private.my_provisioning_key() to authenticated;

CREATE OR REPLACE FUNCTION private.my_reach(OUT everything boolean, OUT org_ids uuid[], OUT partner_ids uuid[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  me uuid := private.actor_id();
begin
  if private.token_is_void() then
    me := null;
  end if;
  case private.actor_kind()
    when 'user' then
      select
        coalesce(bool_or(m.role = 'admin'), false),
        coalesce(array_agg(m.org_id) filter (where m.role in ('org_admin', 'operator', 'viewer')), '{}'),
        coalesce(array_agg(m.partner_id) filter (where m.role = 'partner'), '{}')
      into everything, org_ids, partner_ids
      from public.memberships m where m.user_id = me and m.ended_at is null;
    when 'api_key' then
      select false, coalesce(array_agg(k.org_id), '{}'), '{}'::uuid[] into everything, org_ids, partner_ids
      from public.api_keys k
      where k.id = me and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and 'read' = any (k.scopes);
    else
      everything := false;
      org_ids := '{}';
      partner_ids := '{}';
  end case;
end
$function$;
grant execute on function private.my_reach() to authenticated;
comment on function private.my_reach() is 'What the actor may read as a whole: all orgs, some, or those of some partners';

CREATE OR REPLACE FUNCTION private.my_tenure_ids()
 RETURNS SETOF integer
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 10
 SET search_path TO ''
AS $function$
begin
  return query
    select t.id from private.my_memberships() m
    join public.device_tenures t on t.location_id = m.location_id and t.org_id = m.org_id
    where m.role = 'tenant' and t.started_at >= m.created_at
    union
    select t.id from private.my_memberships() m
    join public.device_tenures t on t.customer_id = m.user_id and t.org_id = m.org_id
    where m.role = 'customer' and t.started_at >= m.created_at;
end
$function$;
grant execute on function private.my_tenure_ids() to authenticated;
comment on function private.my_tenure_ids() is 'Tenures a tenant or customer may read: their own room or device, since their own access began';

CREATE OR REPLACE FUNCTION private.my_user_id()
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return case when private.actor_kind() = 'user' and not private.token_is_void() then private.actor_id() end;
end
$function$;
grant execute on function private.my_user_id() to authenticated;

CREATE OR REPLACE FUNCTION private.named_version(document jsonb)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select nullif(left(btrim(v #>> '{}'), 64), '')
  from (select coalesce(document -> 'fw_version', document -> 'fw')) x (v)
  where jsonb_typeof(v) in ('string', 'number')
$function$;
comment on function private.named_version(jsonb) is 'The firmware version a packet or document names; ingest has the same expression';

CREATE OR REPLACE FUNCTION private.new_room_code(room public.locations, expires_at timestamp with time zone)
 RETURNS public.room_codes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  code_id uuid := gen_random_uuid();
  code public.room_codes;
begin
  insert into public.room_codes (id, org_id, location_id, version, code_sha256, created_by, expires_at)
  values (
    code_id, room.org_id, room.id,
    1 + coalesce((select max(c.version) from public.room_codes c where c.location_id = room.id), 0),
    sha256(convert_to(private.room_code_text(room.id, code_id), 'UTF8')), private.my_user_id(), new_room_code.expires_at)
  returning * into code;
  perform private.write_audit('room_code_issued', 'location', room.id::text, room.org_id, null,
    jsonb_build_object('version', code.version, 'expires_at', code.expires_at));
  return code;
end
$function$;

CREATE OR REPLACE FUNCTION private.next_job_number(org_id uuid)
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$ select coalesce(max(j.number), 0) + 1 from public.ota_jobs j where j.org_id = next_job_number.org_id $function$;

CREATE OR REPLACE FUNCTION private.note_boots(boots jsonb)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  noted int;
begin
  with boot as (
    select distinct on (s.device_num, round(extract(epoch from b.booted_at) / 5))
      s.device_num, s.org_num, s.tenure_id, b.*
    from jsonb_to_recordset(boots) as j (num int, at timestamptz, uptime float8, reason text, fw_version text, previous_uptime float8)
    join public.device_state s on s.device_num = j.num
    cross join lateral (
      select j.at - make_interval(secs => least(greatest(coalesce(j.uptime, 0), 0), 1e9)) as booted_at, j.at as seen_at,
        upper(left(btrim(j.reason), 40)) as reason, left(j.fw_version, 64) as fw_version,
        case when j.previous_uptime >= 0 then least(j.previous_uptime, 1e9) end as previous_uptime_s
    ) b
    order by 1, round(extract(epoch from b.booted_at) / 5), b.seen_at
  ), known as (
    update public.device_reboots r set
      reason = coalesce(r.reason, b.reason), fw_version = coalesce(r.fw_version, b.fw_version),
      previous_uptime_s = coalesce(r.previous_uptime_s, b.previous_uptime_s)
    from boot b
    where r.device_num = b.device_num
      and r.booted_at between b.booted_at - interval '5 seconds' and b.booted_at + interval '5 seconds'
    returning b.device_num, b.booted_at
  )
  insert into public.device_reboots (device_num, booted_at, seen_at, org_num, tenure_id, reason, fw_version, previous_uptime_s)
  select b.device_num, b.booted_at, b.seen_at, b.org_num, b.tenure_id, b.reason, b.fw_version, b.previous_uptime_s
  from boot b
  where not exists (select from known k where k.device_num = b.device_num and k.booted_at = b.booted_at)
  on conflict (device_num, booted_at) do nothing;
  get diagnostics noted = row_count;
  return noted;
end
$function$;
comment on function private.note_boots(jsonb) is '[{num, at ISO time, uptime s|null, reason|null, fw_version|null, previous_uptime s|null}] → new ones. The same start again (±5 s) only fills what was missing';

CREATE OR REPLACE FUNCTION private.note_ota_status(execution public.ota_job_devices, state text, percent numeric, reason text, retry_s numeric)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  at timestamptz := clock_timestamp();
  order_of constant jsonb := '{"queued": 0, "sent": 1, "downloading": 2, "installing": 3, "rebooting": 4}';
  former int := case when execution.state = note_ota_status.state then execution.percent end;
  now_percent int := case when state not in ('downloading', 'installing') then null when percent is null then former
    else greatest(least(round(percent), 100), coalesce(former, 0)) end;
  words text := left(nullif(btrim(reason), ''), 400);
begin
  if state = 'rolled_back' and execution.state = 'rolled_back' and execution.reason like 'It runs % again.' and words is not null then
    -- Its packets were faster than its word, which says more.
    update public.ota_job_devices e set reason = words where e.id = execution.id;
    perform private.log_ota(array[execution.id]);
    perform private.show_ota(array[execution.id]);
    return true;
  elsif not private.is_open(execution.state) then
    return false;
  elsif state in ('failed', 'rejected', 'rolled_back') then
    perform private.end_ota(array[execution.id], state, coalesce(words, 'The device gave no reason.'));
    return true;
  elsif state = 'deferred' and words = 'url_expired' then
    if execution.state not in ('sent', 'downloading', 'installing') or private.is_on_its_way(execution.outbox_id) then
      return false;
    end if;
    perform private.log_ota(array[execution.id], 'url_refreshed');
    perform private.send_ota(array[execution.id]);
    return true;
  elsif state = 'deferred' then
    if execution.state = 'rebooting' then
      return false;
    end if;
    perform private.withdraw_messages(array[execution.outbox_id]);
    update public.ota_job_devices e set
      state = 'queued', percent = null, reason = 'deferred: ' || coalesce(words, 'no reason given'), outbox_id = null,
      not_before = at + make_interval(secs => least(greatest(coalesce(retry_s, 900), 1), 86400)::float8),
      changed_at = at, timeout_at = null
    where e.id = execution.id;
    perform private.log_ota(array[execution.id], 'deferred');
    perform private.show_ota(array[execution.id]);
    perform pg_notify('ec_ota', '');
    return true;
  elsif (order_of ->> state)::int < (order_of ->> execution.state)::int
    or (state, now_percent) is not distinct from (execution.state, execution.percent)
    or state = execution.state and now_percent is null then
    return false;
  end if;

  update public.ota_job_devices e set
    state = note_ota_status.state, percent = now_percent, reason = null, not_before = null, changed_at = at,
    timeout_at = at + make_interval(secs => (select j.timeout_s from public.ota_jobs j where j.id = e.job_id))
  where e.id = execution.id;
  if state <> execution.state or now_percent / 25 > coalesce(execution.percent, 0) / 25 then
    perform private.log_ota(array[execution.id]);
  end if;
  perform private.show_ota(array[execution.id]);
  return true;
end
$function$;
comment on function private.note_ota_status(public.ota_job_devices,text,numeric,text,numeric) is 'state downloading, installing, rebooting, deferred, failed, rejected or rolled_back; the caller holds the execution. True when it changed';

CREATE OR REPLACE FUNCTION private.note_versions(device_nums integer[], said boolean)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  there bigint[];
  gone bigint[];
begin
  perform private.hold_current_otas(device_nums);
  with news as (
    select d.id, d.num, s.named_version as version
    from public.device_state s join public.devices d on d.id = s.device_id
    where s.device_num = any (device_nums) and s.named_version <> coalesce(s.fw_version, '')
    order by d.id for no key update of d skip locked
  ), noted as (
    update public.device_state s set fw_version = n.version from news n where s.device_num = n.num
  )
  update public.devices d set fw_version = n.version from news n where d.id = n.id;
  update public.device_state s set pending = true
  where s.device_num = any (device_nums) and s.named_version <> coalesce(s.fw_version, '') and not s.pending;

  -- Of those that said they restart: once they have, the version they name decides; one named before the restart says
  -- nothing. That they have is certain when they started after they said so (five seconds are left to the way of that
  -- word), or introduce themselves in a new session; without either, they must name another version at two moments.
  with seen as (
    select e.id, private.plain_version(s.named_version) = j.version as is_new, s.named_version_at as at, e.old_seen_at, u.has_restarted,
      case when said then true when u.started_at is null then s.named_version_at > e.changed_at
        else s.named_version_at >= u.started_at - interval '2 seconds' end as is_of_now
    from public.ota_job_devices e
    join public.ota_jobs j on j.id = e.job_id
    join public.device_state s on s.device_num = e.device_num
    cross join lateral (
      select case when not said and jsonb_typeof(s.reported -> 'uptime') = 'number' and 'uptime' = any (s.packet_keys)
        then s.reported_at - make_interval(secs => least((s.reported ->> 'uptime')::float8, 1e9)) end as started_at
    ) t
    cross join lateral (
      select t.started_at, case when said then s.connected_changed_at > e.changed_at
        else t.started_at > e.changed_at - interval '5 seconds' end as has_restarted
    ) u
    where e.device_num = any (device_nums) and e.state = 'rebooting' and s.named_version is not null
  ), doubtful as (
    update public.ota_job_devices e set old_seen_at = n.at from seen n
    where e.id = n.id and n.old_seen_at is null and n.is_of_now and n.has_restarted is null
  ), sure as (
    select n.id, n.is_new from seen n where n.is_of_now and coalesce(n.has_restarted, n.at > n.old_seen_at)
  )
  select array_agg(x.id) filter (where x.is_new), array_agg(x.id) filter (where not x.is_new) into there, gone from sure x;
  perform private.end_ota(there, 'succeeded', null);
  perform private.end_ota(array[e.id], 'rolled_back', format('It runs %s again.', s.named_version))
  from public.ota_job_devices e join public.device_state s on s.device_num = e.device_num
  where e.id = any (gone);
end
$function$;
comment on function private.note_versions(integer[],boolean) is 'devices.fw_version follows what devices name, and executions follow that';

CREATE OR REPLACE FUNCTION private.notification_json(notification public.notifications, read boolean)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select jsonb_build_object(
    'id', notification.id, 'org_id', notification.org_id, 'kind', notification.kind, 'severity', notification.severity,
    'title', notification.title, 'body', notification.body, 'link', notification.link, 'subject', notification.subject,
    'times', notification.times, 'first_at', ec.iso_time(notification.first_at),
    'created_at', ec.iso_time(notification.created_at), 'read', read)
$function$;

CREATE OR REPLACE FUNCTION private.notify_org(org_id uuid, kind text, severity text, title text, body text DEFAULT ''::text, link text DEFAULT NULL::text, subject jsonb DEFAULT '{}'::jsonb, group_key text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  at timestamptz := clock_timestamp();
  notification public.notifications;
begin
  if group_key is not null then
    perform pg_advisory_xact_lock(hashtextextended(notify_org.org_id || ' ' || notify_org.group_key, 0));
    update public.notifications n set
      kind = notify_org.kind, severity = notify_org.severity, title = left(notify_org.title, 200),
      body = left(coalesce(notify_org.body, ''), 2000), link = notify_org.link, subject = coalesce(notify_org.subject, '{}'),
      times = n.times + 1, created_at = at
    where n.id = (
      select g.id from public.notifications g
      where g.org_id = notify_org.org_id and g.group_key = notify_org.group_key and g.created_at > at - interval '1 day'
      order by g.created_at desc limit 1)
    returning n.* into notification;
    delete from ec.notification_reads r where r.notification_id = notification.id;
  end if;
  if notification.id is null then
    insert into public.notifications (org_id, kind, severity, title, body, link, subject, group_key)
    values (notify_org.org_id, notify_org.kind, notify_org.severity, left(notify_org.title, 200),
      left(coalesce(notify_org.body, ''), 2000), notify_org.link, coalesce(notify_org.subject, '{}'), notify_org.group_key)
    returning * into notification;
    perform private.forget_notifications(notify_org.org_id, at);
  end if;
  perform realtime.send(private.notification_json(notification, false), 'notification', l.topic, true)
  from ec.live_leases l
  where l.kind = 'bell' and l.org_id = notify_org.org_id and l.expires_at > at;
  return notification.id;
end
$function$;
comment on function private.notify_org(uuid,text,text,text,text,text,jsonb,text) is 'Rings the bell of an org, in the transaction of what happened; severity info|warn|bad, link a path in the web app';

CREATE OR REPLACE FUNCTION private.org_face(org_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object('name', o.name, 'slug', o.slug, 'brand', o.brand) from public.orgs o where o.id = org_face.org_id
$function$;

CREATE OR REPLACE FUNCTION private.ota_candidates(firmware public.firmware, device_ids uuid[], force boolean, number integer)
 RETURNS SETOF private.ota_place
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with found as materialized (
    select d.id, d.num, d.serial, d.name, d.fw_version, d.product_type, d.lifecycle, d.maker_org_id,
      ec.device_status(s.last_seen, coalesce(d.online_window_s, t.online_window_s), clock_timestamp()) as status,
      coalesce(s.reported ->> 'chip', d.attributes ->> 'chip') as chip
    from public.devices d
    join public.product_types t on t.key = d.product_type
    left join public.device_state s on s.device_num = d.num
    where d.id = any (device_ids)
  ), versions as materialized (
    -- A fleet has many devices and few versions.
    select v.fw_version, private.plain_version(v.fw_version) is not distinct from firmware.version as is_same,
      private.compare_versions(v.fw_version, firmware.version) > 0 as is_newer
    from (select distinct f.fw_version from found f where f.fw_version is not null) v
  ), chips as materialized (
    select c.chip, private.chip_key(c.chip) <> firmware.chip as is_other
    from (select distinct f.chip from found f where f.chip is not null) c
  ), busy as (
    -- On its way: with the device, or with a bridge that holds its message.
    select e.device_num, j.number
    from public.ota_job_devices e join public.ota_jobs j on j.id = e.job_id
    where e.device_id = any (device_ids) and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
      and (e.state <> 'queued' or e.outbox_id is not null and exists (
        select from ec.mqtt_outbox o
        where o.id = e.outbox_id and o.sent_at is null and o.claimed_until > clock_timestamp()))
  )
  select c.id, c.num, c.serial, c.name, c.fw_version, c.status, c.reason,
    case when c.reason = 'busy' then jsonb_build_object('job', c.busy) when c.reason = 'other_chip' then jsonb_build_object('chip', c.chip)
      when c.reason = 'other_type' then jsonb_build_object('product_type', c.product_type) end,
    null::int,
    (row_number() over (order by c.reason is not null, c.status <> 'online',
      md5(ota_candidates.number || ' ' || c.serial) collate "C", c.serial))::int
  from (
    select f.*, b.number as busy, case
        when f.lifecycle = 'retired' then 'retired'
        when f.product_type <> firmware.product_type then 'other_type'
        when f.maker_org_id <> firmware.org_id then 'other_maker'
        when h.is_other then 'other_chip'
        when not force and v.is_same then 'same_version'
        when not force and v.is_newer then 'newer_version'
        when b.number is not null then 'busy'
      end as reason
    from found f
    left join versions v on v.fw_version = f.fw_version
    left join chips h on h.chip = f.chip
    left join busy b on b.device_num = f.num
  ) c
$function$;

CREATE OR REPLACE FUNCTION private.ota_counts(job_id uuid, stage integer DEFAULT NULL::integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_object_agg(x.state, coalesce(c.n, 0))
  from unnest('{queued,sent,downloading,installing,rebooting,succeeded,failed,rolled_back,timed_out,rejected,cancelled}'::text[]) x (state)
  left join (
    select e.state, count(*) as n from public.ota_job_devices e
    where e.job_id = ota_counts.job_id and (ota_counts.stage is null or e.stage = ota_counts.stage)
    group by e.state
  ) c on c.state = x.state
$function$;

CREATE OR REPLACE FUNCTION private.ota_job_and_failures(job public.ota_jobs)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.ota_job_json(job) || jsonb_build_object('failures', coalesce((
    select jsonb_agg(jsonb_build_object('state', x.state, 'reason', x.reason, 'devices', x.n) order by x.n desc, x.state, x.reason)
    from (
      select e.state, e.reason, count(*) as n from public.ota_job_devices e
      where e.job_id = job.id and e.state in ('failed', 'rolled_back', 'timed_out', 'rejected')
      group by e.state, e.reason
      order by n desc limit 100
    ) x
  ), '[]'))
$function$;

CREATE OR REPLACE FUNCTION private.ota_job_json(job public.ota_jobs, brief boolean DEFAULT false)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object(
    'id', job.id, 'number', job.number, 'org_id', job.org_id, 'name', job.name, 'single', job.single,
    'firmware', jsonb_build_object('id', f.id, 'version', job.version, 'product_type', job.product_type, 'size', f.size),
    'target', case when brief then private.few_serials(job.target) else job.target end,
    'stages', (
      select jsonb_agg(case when brief then private.few_serials(s.part) || '{"counts": {}}'
        else s.part || jsonb_build_object('counts', private.ota_counts(job.id, s.n::int - 1)) end order by s.n)
      from jsonb_array_elements(job.stages) with ordinality s (part, n)
    ),
    'stage', job.stage, 'soaking_since', ec.iso_time(job.soaking_since), 'state', job.state, 'abort_reason', job.abort_reason,
    'failure_pct', job.failure_pct, 'failure_min', job.failure_min, 'timeout_s', job.timeout_s, 'force', job.force,
    'window', job.job_window, 'starts_at', ec.iso_time(job.starts_at), 'created_at', ec.iso_time(job.created_at),
    'created_by', job.created_by_label, 'created_by_kind', job.created_by_kind,
    'started_at', ec.iso_time(job.started_at), 'finished_at', ec.iso_time(job.finished_at),
    'targeted', (select count(*) from public.ota_job_devices e where e.job_id = job.id),
    'counts', private.ota_counts(job.id))
  from public.firmware f where f.id = job.firmware_id
$function$;

CREATE OR REPLACE FUNCTION private.ota_targets(org_id uuid, target jsonb, OUT device_ids uuid[], OUT missing text[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  serials text[];
  filter jsonb := target -> 'filter';
begin
  missing := '{}';
  if target ? 'serials' then
    if jsonb_typeof(target -> 'serials') <> 'array' or jsonb_array_length(target -> 'serials') not between 1 and 10000 then
      perform private.refuse('EC400', 'invalid_request', 'serials is a list of 1 to 10000 serials.');
    end if;
    serials := array(select distinct s from jsonb_array_elements_text(target -> 'serials') s);
    device_ids := array(select d.id from public.devices d where d.serial = any (serials) and d.org_id = ota_targets.org_id);
    missing := array(
      select s from unnest(serials) s
      where not exists (select from public.devices d where d.serial = s and d.org_id = ota_targets.org_id) order by s);
    return;
  elsif target ? 'filter_id' then
    select f.filter into filter from public.device_filters f
    where f.id::text = target ->> 'filter_id' and f.org_id = ota_targets.org_id;
    if filter is null then
      perform private.refuse_missing();
    end if;
  elsif target ? 'product_type' then
    filter := jsonb_build_object('product_type', target ->> 'product_type');
  elsif not target ? 'filter' then
    perform private.refuse('EC400', 'invalid_request', 'A target has one of serials, filter, filter_id, product_type.');
  end if;
  perform private.require_filter(filter);
  device_ids := array(select private.filtered_devices(ota_targets.org_id, filter));
end
$function$;

CREATE OR REPLACE FUNCTION private.partner_face(partner_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object('name', p.name, 'slug', p.slug, 'brand', '{}'::jsonb)
  from public.partners p where p.id = partner_face.partner_id
$function$;

CREATE OR REPLACE FUNCTION private.path_key(path text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select lower(btrim(regexp_replace(path, '\s*/\s*', '/', 'g')))
$function$;
comment on function private.path_key(text) is 'Two ways to write one path have the same key';

CREATE OR REPLACE FUNCTION private.plain_room_code(code text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select translate(upper(regexp_replace(code, '[\s-]', '', 'g')), 'OIL', '011')
$function$;

CREATE OR REPLACE FUNCTION private.plain_version(version text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select regexp_replace(btrim(version), '^[vV](?=[0-9])', '') $function$;
comment on function private.plain_version(text) is 'v1.2.0 and 1.2.0 are one version';

CREATE OR REPLACE FUNCTION private.plan_job(firmware public.firmware, device_ids uuid[], job jsonb, number integer, OUT stages jsonb, OUT places private.ota_place[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  candidates private.ota_place[];
  named_in jsonb;
  named int[];
  bounds int[];
  free int;
begin
  select coalesce(array_agg(c order by c.position), '{}') into candidates
  from private.ota_candidates(plan_job.firmware, plan_job.device_ids, (job -> 'force')::bool, plan_job.number) c;
  -- Serial → the first stage that names it.
  select coalesce(jsonb_object_agg(x.serial, x.stage), '{}') into named_in
  from (
    select serial, min(s.n - 1) as stage
    from jsonb_array_elements(job -> 'stages') with ordinality s (part, n),
      jsonb_array_elements_text(coalesce(s.part -> 'serials', '[]')) serial
    group by serial
  ) x;
  select count(*) into free from unnest(candidates) c where c.reason is null and not named_in ? c.serial;
  select array_agg((
    select count(*) from unnest(candidates) c where c.reason is null and (named_in -> c.serial)::int = n
  ) order by n) into named
  from generate_series(0, jsonb_array_length(job -> 'stages') - 1) n;
  select jsonb_agg(s.part order by s.stage), array_agg(s.upto order by s.stage) into stages, bounds
  from private.split_stages(job -> 'stages', free, named) s;

  select coalesce(array_agg(
    (p.device_id, p.device_num, p.serial, p.name, p.fw_version, p.status, p.reason, p.detail, p.stage, p.position)::private.ota_place
    order by p.stage, p.position), '{}')
  into places
  from (
    select c.*, case when c.reason is null then coalesce((named_in -> c.serial)::int,
      (select min(b.n - 1)::int from unnest(bounds) with ordinality b (upto, n) where c.nth <= b.upto)) end as stage
    from (
      select x.device_id, x.device_num, x.serial, x.name, x.fw_version, x.status, x.reason, x.detail, x.position,
        count(*) filter (where x.reason is null and not named_in ? x.serial) over (order by x.position) as nth
      from unnest(candidates) x
    ) c
  ) p;
end
$function$;
comment on function private.plan_job(public.firmware,uuid[],jsonb,integer) is 'stages with how many devices each has, and every device with its stage or its reason to stay out';

CREATE OR REPLACE FUNCTION private.promised_seats(org_id uuid, but_not text)
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select count(distinct i.email)::int from public.invitations i
  where i.org_id = promised_seats.org_id and i.role in ('org_admin', 'operator', 'viewer') and i.email <> but_not
    and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
$function$;

CREATE OR REPLACE FUNCTION private.raise_epochs(org_ids uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform from public.orgs o where o.id = any (org_ids) order by o.id for no key update;
  update public.orgs o
  set live_epoch = 1 + (select max(p.live_epoch) from public.orgs p where p.id = any (org_ids))
  where o.id = any (org_ids);
end
$function$;

CREATE OR REPLACE FUNCTION private.read_job_input(input jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  job jsonb;
  part jsonb;
  highest numeric := 0;
  problem text;
begin
  perform private.require_keys(input, array['firmware_id', 'target', 'stages', 'failure_pct', 'failure_min', 'timeout_s', 'force',
    'window', 'starts_at', 'name']);
  job := '{"stages": [{"percent": 100}], "failure_pct": 20, "timeout_s": 1800, "force": false}' || jsonb_strip_nulls(input);

  if coalesce(job ->> 'firmware_id', '') !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    problem := 'Say which firmware with firmware_id.';
  elsif not private.is_int(job -> 'failure_pct', 1, 100) then
    problem := 'failure_pct is a percentage from 1 to 100.';
  elsif job ? 'failure_min' and not private.is_int(job -> 'failure_min', 1, 100000) then
    problem := 'failure_min is a number of devices from 1.';
  elsif not private.is_int(job -> 'timeout_s', 60, 604800) then
    problem := 'timeout_s is a number of seconds from 60 to 604800.';
  elsif jsonb_typeof(job -> 'force') <> 'boolean' then
    problem := 'force is true or false.';
  elsif job ? 'name' and length(btrim(job ->> 'name')) not between 1 and 200 then
    problem := 'A name has 1 to 200 characters.';
  elsif jsonb_typeof(job -> 'stages') <> 'array' or jsonb_array_length(job -> 'stages') not between 1 and 20 then
    problem := 'stages is a list of 1 to 20 stages.';
  elsif (jsonb_typeof(job -> 'target') = 'object') is not true
    or (select count(*) from jsonb_object_keys(job -> 'target')) <> 1 then
    problem := 'A target has one of serials, filter, filter_id, product_type.';
  end if;
  if problem is null then
    for part in select s from jsonb_array_elements(job -> 'stages') s loop
      if jsonb_typeof(part) <> 'object' or num_nonnulls(part -> 'count', part -> 'percent', part -> 'serials') <> 1 then
        problem := 'A stage has one of count, percent, serials.';
      elsif part ? 'count' and not private.is_int(part -> 'count', 1, 50000) then
        problem := 'count is a number of devices from 1 to 50000.';
      elsif part ? 'percent' and (jsonb_typeof(part -> 'percent') <> 'number'
        or (part ->> 'percent')::numeric <= highest or (part ->> 'percent')::numeric > 100) then
        problem := 'percent counts from the beginning: each is more than the one before, up to 100.';
      elsif part ? 'serials' and (jsonb_typeof(part -> 'serials') <> 'array' or jsonb_array_length(part -> 'serials') not between 1 and 1000) then
        problem := 'serials of a stage is a list of 1 to 1000 serials.';
      elsif part ? 'soak_s' and not private.is_int(part -> 'soak_s', 0, 2592000) then
        problem := 'soak_s is a number of seconds up to 30 days.';
      end if;
      exit when problem is not null;
      highest := greatest(highest, (part ->> 'percent')::numeric);
    end loop;
  end if;
  if problem is null and job ? 'window' then
    part := job -> 'window';
    if coalesce(part ->> 'start', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$' or coalesce(part ->> 'end', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
      or part ->> 'start' = part ->> 'end' then
      problem := 'A window has start and end as HH:MM, and they differ.';
    elsif part ? 'days' and (jsonb_typeof(part -> 'days') <> 'array' or part -> 'days' = '[]'
      or not '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]' @> (part -> 'days')) then
      problem := 'days are some of mon, tue, wed, thu, fri, sat, sun.';
    end if;
  end if;
  if problem is not null then
    perform private.refuse('EC400', 'invalid_request', problem);
  end if;
  return job;
end
$function$;

CREATE OR REPLACE FUNCTION private.reason_counts(places private.ota_place[])
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select coalesce(jsonb_object_agg(x.reason, x.n), '{}')
  from (select p.reason, count(*) as n from unnest(places) p where p.reason is not null group by p.reason) x
$function$;

CREATE OR REPLACE FUNCTION private.refuse(state text, code text, detail text, hint jsonb DEFAULT NULL::jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  raise exception using errcode = state, message = code, detail = detail, hint = coalesce(hint::text, '');
end
$function$;
grant execute on function private.refuse(text,text,text,jsonb) to authenticated;
comment on function private.refuse(text,text,text,jsonb) is 'state EC4xx = HTTP status, code = contract code, detail = what to do about it, hint = extra members of the problem';

CREATE OR REPLACE FUNCTION private.refuse_audit_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  raise exception using errcode = 'EC403', message = 'forbidden', detail = 'The audit log is append-only.';
end
$function$;
grant execute on function private.refuse_audit_change() to authenticated;

CREATE OR REPLACE FUNCTION private.refuse_missing()
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  select private.refuse('EC404', 'not_found', 'There is no such thing, or you may not see it.')
$function$;
grant execute on function private.refuse_missing() to authenticated;

CREATE OR REPLACE FUNCTION private.refuse_over_plan(plan text, kind text, most integer, used integer)
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  select private.refuse('EC403', 'plan_limit',
    format('The plan "%s" allows %s %s, and %s are in use. Make room or change the plan.', plan,
      to_char(most, 'FM999,999,999'),
      case kind when 'devices' then 'devices' when 'users' then 'people' else 'organisations' end,
      to_char(used, 'FM999,999,999')),
    jsonb_build_object('plan', plan, 'kind', kind, 'limit', most, 'used', used))
$function$;

CREATE OR REPLACE FUNCTION private.registering_org(wanted uuid, existing uuid)
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  own uuid;
  candidates uuid[];
begin
  if private.actor_kind() in ('api_key', 'provisioning_key') then
    select k.org_id into own from private.my_api_key() k union all select k.org_id from private.my_provisioning_key() k;
    if own is null then
      perform private.refuse('EC401', 'unauthenticated', 'This key was revoked or has expired.');
    end if;
    wanted := coalesce(wanted, own);
  end if;
  if wanted is null and private.can(existing, 'provision') then
    return existing;
  end if;
  if wanted is null then
    select array_agg(o.id) into candidates
    from public.orgs o where o.id = any (array(select private.my_managed_org_ids())) and private.can(o.id, 'provision');
    if cardinality(candidates) > 1 then
      perform private.refuse('EC400', 'invalid_request', 'You may register for several organisations: say which with org_id.');
    elsif candidates is null then
      perform private.refuse('EC403', 'forbidden', 'You may not register devices for any organisation.');
    end if;
    return candidates[1];
  end if;
  perform private.require_org(wanted, 'provision');
  return wanted;
end
$function$;

CREATE OR REPLACE FUNCTION private.remove_customer(device public.devices)
 RETURNS public.devices
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform private.end_claim_codes(device.id, 'unclaimed');
  return private.hand_over(device, device.org_id, device.location_id, null,
    case when device.org_id <> device.maker_org_id then device.claimed_at end);
end
$function$;

CREATE OR REPLACE FUNCTION private.replace_claim_code(device_id uuid, code_sha256 bytea)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.end_claim_codes(device_id, 'reissued');
  insert into public.claim_codes (device_id, code_sha256) values (device_id, code_sha256)
$function$;

CREATE OR REPLACE FUNCTION private.require_bell(org_id uuid)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  since timestamptz;
begin
  perform private.require_org(require_bell.org_id, 'read');
  since := private.hears_since(require_bell.org_id);
  if since is null then
    perform private.refuse('EC403', 'forbidden', 'Notifications are for the people who run this organisation.');
  end if;
  return since;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_claimable(state text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  reason jsonb := jsonb_build_object('reason', state);
begin
  case state
    when 'claimable' then return;
    when 'used' then perform private.refuse('EC409', 'already_used', 'Somebody claimed this device with this code.', reason);
    when 'expired' then
      perform private.refuse('EC410', 'expired', 'This code has expired. Ask whoever gave you the device for a new one.', reason);
    when 'reissued' then perform private.refuse('EC410', 'expired', 'A newer code was issued for this device. Use that one.', reason);
    when 'transferred' then
      perform private.refuse('EC410', 'expired', 'This device went to another organisation. Ask them for a new code.', reason);
    when 'unclaimed' then
      perform private.refuse('EC410', 'expired', 'This device was given back. Ask for a new code to claim it again.', reason);
    else perform private.refuse('EC410', 'expired', 'This device was retired.', reason);
  end case;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_device(serial text, action text)
 RETURNS public.devices
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
begin
  select d.* into device from public.devices d where d.serial = require_device.serial;
  if not private.can(device.org_id, action) and device.id = any (array(select private.my_device_ids())) then
    perform private.refuse('EC403', 'forbidden', 'You may see this device but not this part of it.');
  end if;
  perform private.require_org(device.org_id, action);
  return device;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_filter(filter jsonb)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  entry record;
begin
  perform private.require_keys(filter,
    array['room_id', 'location_id', 'product_type', 'status', 'lifecycle', 'tag', 'fw_version', 'q']);
  for entry in select e.key, e.value, e.value #>> '{}' as word from jsonb_each(filter) e loop
    if jsonb_typeof(entry.value) <> 'string' or length(entry.word) not between 1 and 100
      or entry.key in ('room_id', 'location_id') and entry.word !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      or entry.key = 'status' and entry.word not in ('online', 'offline', 'never_seen')
      or entry.key = 'lifecycle' and entry.word not in ('manufactured', 'claimed', 'active', 'retired') then
      perform private.refuse('EC400', 'invalid_request', format('%s cannot be %s.', entry.key, left(entry.value::text, 60)));
    end if;
  end loop;
end
$function$;
comment on function private.require_filter(jsonb) is 'EC400 unless it is a filter of devices';

CREATE OR REPLACE FUNCTION private.require_invitation(token_sha256 bytea)
 RETURNS public.invitations
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  invitation public.invitations;
begin
  select i.* into invitation from public.invitations i where i.token_sha256 = require_invitation.token_sha256;
  if invitation.id is null then
    perform private.refuse_missing();
  end if;
  return invitation;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_inviter(target jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  org uuid := (target ->> 'org_id')::uuid;
  partner uuid := (target ->> 'partner_id')::uuid;
  role text := target ->> 'role';
begin
  if partner is not null then
    if not private.is_admin() and partner in (select private.my_partner_ids()) then
      perform private.refuse('EC403', 'forbidden', 'Only the platform''s administrators invite partners.');
    elsif not private.is_admin() or not exists (select from public.partners p where p.id = partner) then
      perform private.refuse_missing();
    elsif role is distinct from 'partner' or org is not null then
      perform private.refuse('EC422', 'unprocessable', 'Somebody is invited to a partner as "partner" only.');
    end if;
    return;
  end if;
  perform private.require_org(org, 'invite');
  if role is null or role not in ('org_admin', 'operator', 'viewer', 'customer', 'tenant') then
    perform private.refuse('EC422', 'unprocessable', 'role is org_admin, operator, viewer, customer or tenant.');
  elsif role = 'tenant' and not exists (
    select from private.my_memberships() m where m.role = 'admin' or m.role = 'org_admin' and m.org_id = org
  ) then
    perform private.refuse('EC403', 'forbidden', 'Tenants are invited by the organisation itself.');
  elsif (role = 'tenant') <> (target ->> 'location_id' is not null) then
    perform private.refuse('EC422', 'unprocessable', 'A tenant needs a room in location_id, and nobody else has one.');
  elsif role = 'tenant' and not exists (
    select from public.locations l where l.id = (target ->> 'location_id')::uuid and l.org_id = org and l.type = 'room'
  ) then
    perform private.refuse_missing();
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_keys(input jsonb, allowed text[])
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  unknown text;
begin
  if input is null or jsonb_typeof(input) <> 'object' then
    perform private.refuse('EC400', 'invalid_request', 'Send a JSON object.');
  end if;
  select string_agg(k, ', ') into unknown from jsonb_object_keys(input) k where k <> all (allowed);
  if unknown is not null then
    perform private.refuse('EC400', 'invalid_request',
      format('Unknown or read-only: %s. Allowed: %s.', unknown, array_to_string(allowed, ', ')));
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_location(location_id uuid)
 RETURNS public.locations
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  location public.locations;
begin
  select l.* into location from public.locations l where l.id = require_location.location_id for update;
  if location.id = any (array(select private.my_location_ids())) and not private.can(location.org_id, 'configure') then
    perform private.refuse('EC403', 'forbidden', 'You may see this place but not change it.');
  end if;
  perform private.require_org(location.org_id, 'configure');
  return location;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_org(org_id uuid, action text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if private.can(require_org.org_id, action) then
    return;
  end if;
  if private.can(require_org.org_id, 'read')
    or exists (select from private.my_api_key() k where k.org_id = require_org.org_id) then
    perform private.refuse('EC403', 'forbidden', format('Your access to this organisation does not include "%s".', action));
  end if;
  perform private.refuse_missing();
end
$function$;
grant execute on function private.require_org(uuid,text) to authenticated;

CREATE OR REPLACE FUNCTION private.require_orgs_in_plan(partner_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held record;
  used int;
begin
  select p.plan, l.max_orgs as most into held
  from public.partners p join public.plan_limits l on l.plan = p.plan
  where p.id = require_orgs_in_plan.partner_id for no key update of p;
  if held.most is null then
    return;
  end if;
  select count(*) into used from public.orgs o where o.partner_id = require_orgs_in_plan.partner_id;
  if used >= held.most then
    perform private.refuse_over_plan(held.plan, 'orgs', held.most, used);
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_other_admin(member public.memberships)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended('private.require_other_admin', 0));
  if not exists (
    select from public.memberships m where m.role = 'admin' and m.ended_at is null and m.user_id <> member.user_id
  ) then
    perform private.refuse('EC409', 'conflict', 'This is the platform''s last administrator.');
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_other_org_admin(member public.memberships)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- Two who remove each other wait here, and the second sees what the first did.
  perform from public.orgs o where o.id = member.org_id for no key update;
  if exists (
    select from public.memberships m
    where m.org_id = member.org_id and m.role = 'org_admin' and m.ended_at is null and m.user_id <> member.user_id
  ) or private.is_admin() or exists (
    select from private.my_memberships() m join public.orgs o on o.partner_id = m.partner_id
    where m.role = 'partner' and o.id = member.org_id
  ) then
    return;
  end if;
  perform private.refuse('EC409', 'conflict',
    'This is the last org admin. Make somebody else one first, or ask your partner.');
end
$function$;

CREATE OR REPLACE FUNCTION private.require_own_device(serial text)
 RETURNS public.devices
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
begin
  select d.* into device from public.devices d
  where d.serial = require_own_device.serial and d.lifecycle <> 'retired'
    and private.actor_kind() = 'device' and d.id = private.actor_id();
  if device.id is null then
    perform private.refuse_missing();
  end if;
  return device;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_room(room_id uuid, action text)
 RETURNS public.locations
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  room public.locations;
begin
  select l.* into room from public.locations l where l.id = require_room.room_id and l.type = 'room' for no key update;
  if room.id = any (array(select private.my_location_ids())) and not private.can(room.org_id, action) then
    perform private.refuse('EC403', 'forbidden', 'You may see this room but not hand out access to it.');
  end if;
  perform private.require_org(room.org_id, action);
  return room;
end
$function$;
comment on function private.require_room(uuid,text) is 'The room, locked until commit, when the actor may do the action';

CREATE OR REPLACE FUNCTION private.require_room_code(room_id uuid, code text)
 RETURNS public.locations
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held public.room_codes;
  room public.locations;
begin
  select c.* into held from public.room_codes c
  where c.location_id = require_room_code.room_id
    and c.code_sha256 = sha256(convert_to(private.plain_room_code(require_room_code.code), 'UTF8'))
  for share;
  if held.id is null then
    perform private.refuse_missing();
  elsif held.ended_reason is not null then
    perform private.refuse('EC410', 'expired', 'This code was replaced or taken back. Use the newest sheet of the room, or ask for one.',
      jsonb_build_object('reason', held.ended_reason));
  elsif held.expires_at <= now() then
    perform private.refuse('EC410', 'expired', 'This code has expired. Ask for a new one.', '{"reason": "expired"}');
  end if;
  select l.* into strict room from public.locations l where l.id = held.location_id;
  return room;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_room_in_plan(org_id uuid, kind text, wanted integer DEFAULT 1, promised integer DEFAULT 0)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held record;
  used int;
  slot text := format('%s:%s:', kind, org_id);
  cached text := coalesce(current_setting('ec.plan_used', true), '');
begin
  select o.plan, case kind when 'devices' then l.max_devices else l.max_users end as most into held
  from public.orgs o join public.plan_limits l on l.plan = o.plan where o.id = require_room_in_plan.org_id;
  if held.most is null then
    return;
  end if;
  -- One at a time, so that two cannot take the last place.
  perform pg_advisory_xact_lock(hashtextextended('private.require_room_in_plan ' || slot, 0));
  if kind = 'users' then
    select count(distinct m.user_id) into used from public.memberships m
    where m.org_id = require_room_in_plan.org_id and m.role in ('org_admin', 'operator', 'viewer') and m.ended_at is null;
  elsif starts_with(cached, slot) then
    -- A transaction that adds hundreds counts once: the lock keeps others from adding meanwhile.
    used := substr(cached, length(slot) + 1);
  else
    select count(*) into used from public.devices d
    where d.org_id = require_room_in_plan.org_id and d.lifecycle <> 'retired';
  end if;
  if used + promised + wanted > held.most then
    perform private.refuse_over_plan(held.plan, kind, held.most, used + promised);
  end if;
  if kind = 'devices' then
    perform set_config('ec.plan_used', slot || used + wanted, true);
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.require_shadow(part jsonb, path text[] DEFAULT '{}'::text[])
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  kind text := jsonb_typeof(part);
  entry record;
  problem text;
begin
  if path = '{}' and kind is distinct from 'object' then
    problem := 'Send a JSON object.';
  elsif kind in ('object', 'array') and cardinality(path) >= 8 then
    problem := 'It is nested more than 8 deep.';
  elsif kind = 'number' and abs(part::numeric) > 1e100 then
    problem := 'It is not a usable number.';
  end if;
  if problem is null and kind = 'object' then
    for entry in select e.key, e.value from jsonb_each(part) e loop
      if entry.key !~ '^[A-Za-z][A-Za-z0-9_]{0,63}$' or entry.key in ('constructor', 'prototype') then
        perform private.refuse('EC400', 'invalid_request',
          format('"%s" is no key: use a letter, then up to 63 letters, digits or "_".', left(entry.key, 80)),
          jsonb_build_object('path', path || entry.key));
      end if;
      perform private.require_shadow(entry.value, path || entry.key);
    end loop;
  elsif problem is null and kind = 'array' then
    for entry in select e.value, e.n from jsonb_array_elements(part) with ordinality e (value, n) loop
      if entry.value = 'null' then
        path := path || (entry.n - 1)::text;
        problem := 'An array holds no null.';
        exit;
      end if;
      perform private.require_shadow(entry.value, path || (entry.n - 1)::text);
    end loop;
  end if;
  if problem is not null then
    perform private.refuse('EC400', 'invalid_request',
      case when path = '{}' then problem else format('%s: %s', array_to_string(path, '.'), problem) end,
      jsonb_build_object('path', path));
  end if;
end
$function$;
comment on function private.require_shadow(jsonb,text[]) is 'EC400 with hint {path} unless it may be merged into a shadow';

CREATE OR REPLACE FUNCTION private.require_timezone(name text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  perform now() at time zone name;
exception when invalid_parameter_value then
  perform private.refuse('EC422', 'unprocessable', format('"%s" is no IANA time zone, such as Europe/Berlin.', name));
end
$function$;

CREATE OR REPLACE FUNCTION private.resend_after(sends integer)
 RETURNS interval
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select make_interval(secs => 30 * 2 ^ least(sends - 1, 7)) $function$;
comment on function private.resend_after(integer) is '30 s after the first time, then twice as long each time';

CREATE OR REPLACE FUNCTION private.resend_commands(device_nums integer[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  command public.device_commands;
  message bigint;
begin
  for command in
    select c.* from public.device_commands c
    where c.device_num = any (device_nums) and c.state = 'sent' and c.sent_door = 'mqtt' and c.outbox_id is null
      and c.type <> 'reboot' and c.expires_at > clock_timestamp()
    order by c.created_at, c.id
    for update skip locked
  loop
    message := private.enqueue_mqtt(command.serial, 'cmd',
      private.compact_json(private.command_message(command)), false, command.expires_at);
    update ec.mqtt_outbox o set command_id = command.id where o.id = message;
    update public.device_commands c set outbox_id = message where c.id = command.id;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION private.resend_ota(device_nums integer[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select private.deliver_ota(device_nums, true) $function$;
comment on function private.resend_ota(integer[]) is 'Devices whose session has just begun: what they were told before may never have reached them; the caller holds their states';

CREATE OR REPLACE FUNCTION private.revive_device(device public.devices)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if private.actor_kind() = 'provisioning_key' then
    perform private.refuse('EC409', 'conflict', 'This device was retired. Somebody of its organisation can register it again.');
  end if;
  perform private.require_room_in_plan(device.org_id, 'devices');
  update public.devices d set
    lifecycle = case when d.claimed_at is null then 'manufactured' else 'claimed' end, retired_at = null,
    registered_by_kind = private.actor_kind(), registered_by_id = private.actor_id(), registered_at = clock_timestamp()
  where d.id = device.id;
  perform private.start_tenure(device.id, true);
end
$function$;

CREATE OR REPLACE FUNCTION private.room_code_json(room_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object('room_id', room_id, 'version', coalesce(max(c.version), 0)) || coalesce(
    (
      select jsonb_build_object('code', private.room_code_text(l.location_id, l.id), 'created_at', l.created_at, 'expires_at', l.expires_at)
      from public.room_codes l where l.location_id = room_id and l.revoked_at is null and (l.expires_at is null or l.expires_at > now())
    ),
    '{"code": null, "created_at": null, "expires_at": null}')
  from public.room_codes c where c.location_id = room_id
$function$;

CREATE OR REPLACE FUNCTION private.room_code_key()
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  key text;
begin
  select s.decrypted_secret into key from vault.decrypted_secrets s where s.name = 'ec_room_code_key';
  if key is null then
    perform pg_advisory_xact_lock(hashtextextended('private.room_code_key', 0));
    select s.decrypted_secret into key from vault.decrypted_secrets s where s.name = 'ec_room_code_key';
  end if;
  if key is null then
    key := encode(extensions.gen_random_bytes(32), 'hex');
    perform vault.create_secret(key, 'ec_room_code_key', 'Codes of rooms are derived from it');
  end if;
  return key;
end
$function$;

CREATE OR REPLACE FUNCTION private.room_code_text(location_id uuid, code_id uuid)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  mac bytea := extensions.hmac(format('%s:%s', location_id, code_id), private.room_code_key(), 'sha256');
  bits bit(80) := ('x' || encode(substr(mac, 1, 10), 'hex'))::bit(80);
begin
  return (
    select string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substring(bits from n * 5 + 1 for 5)::bit(5)::int + 1, 1), '' order by n)
    from generate_series(0, 15) n
  );
end
$function$;

CREATE OR REPLACE FUNCTION private.send_desired(device public.devices)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.enqueue_mqtt(device.serial, kind, document, true)
  from private.compact_json(device.desired) document, unnest(array['shadow/desired', 'config']) kind
$function$;

CREATE OR REPLACE FUNCTION private.send_ota(execution_ids bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  with messages as (
    insert into ec.mqtt_outbox (serial, topic, payload, expires_at, ota_id)
    select m.serial, format('devices/%s/ota', m.serial), private.compact_json(m.message),
      clock_timestamp() + interval '30 minutes', m.execution_id
    from private.make_ota_messages(execution_ids) m
    returning id, ota_id
  )
  update public.ota_job_devices e set outbox_id = m.id from messages m where e.id = m.ota_id;
  if found then
    perform pg_notify('ec_mqtt_outbox', '');
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.send_released(job public.ota_jobs, at timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted int;
  nums int[];
  held bigint[];
begin
  update public.device_state s set pending = true
  where s.device_num in (
    select x.device_num
    from public.ota_job_devices e join public.device_state x on x.device_num = e.device_num
    where e.job_id = job.id and e.released and e.state in ('queued', 'sent', 'downloading', 'installing', 'rebooting')
      and not x.pending
    order by x.device_num for no key update of x skip locked
  );

  select count(*) into wanted
  from public.ota_job_devices e join public.device_state s on s.device_num = e.device_num
  where e.job_id = job.id and e.released and e.state = 'queued' and (e.not_before <= at) is not false
    and s.connected and not private.is_on_its_way(e.outbox_id);
  if wanted = 0 then
    return;
  end if;
  select array_agg(x.device_num) into nums from (
    select s.device_num
    from public.ota_job_devices e join public.device_state s on s.device_num = e.device_num
    where e.job_id = job.id and e.released and e.state = 'queued' and (e.not_before <= at) is not false
      and s.connected and not private.is_on_its_way(e.outbox_id)
    order by s.device_num for no key update of s skip locked
  ) x;
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e
    where e.job_id = job.id and e.device_num = any (nums) and e.state = 'queued'
    order by e.id for update skip locked
  ) x;
  if held is not null then
    perform private.send_ota(private.due_ota(held));
  end if;
  if wanted > coalesce(cardinality(held), 0) then
    perform pg_notify('ec_ota', '');
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.send_shadow_document(device public.devices, delta jsonb, client_token text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select private.enqueue_mqtt(device.serial, 'shadow/document', private.compact_json(
    jsonb_build_object('version', device.desired_version, 'desired', device.desired, 'delta', delta, 'at', ec.iso_time(clock_timestamp()))
    || case when client_token is null then '{}' else jsonb_build_object('client_token', client_token) end))
$function$;

CREATE OR REPLACE FUNCTION private.shadow_delta(desired jsonb, reported jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  delta jsonb := '{}';
  deeper jsonb;
  entry record;
begin
  for entry in select e.key, e.value as want, reported -> e.key as have from jsonb_each(desired) e loop
    continue when entry.want = entry.have;
    if jsonb_typeof(entry.want) = 'object' and jsonb_typeof(entry.have) = 'object' then
      deeper := private.shadow_delta(entry.want, entry.have);
      continue when deeper = '{}';
      delta := delta || jsonb_build_object(entry.key, deeper);
    else
      delta := delta || jsonb_build_object(entry.key, entry.want);
    end if;
  end loop;
  return delta;
end
$function$;
comment on function private.shadow_delta(jsonb,jsonb) is 'Keys of desired that differ in reported: objects key by key, arrays and scalars whole, numbers by value';

CREATE OR REPLACE FUNCTION private.show_commands(ids uuid[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select realtime.send(
    private.command_json(c) - '{payload,result,created_by,created_by_kind,sent_door}'::text[], 'command', l.topic, true)
  from public.device_commands c
  join ec.live_leases l on l.kind = 'device' and l.device_num = c.device_num and l.expires_at > clock_timestamp()
  where c.id = any (ids)
$function$;
comment on function private.show_commands(uuid[]) is 'Every change of state, at once, to whoever looks at the device';

CREATE OR REPLACE FUNCTION private.show_ota(execution_ids bigint[], job_ids uuid[] DEFAULT '{}'::uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  topics text[];
begin
  if not exists (select from ec.live_leases l where l.kind in ('device', 'job') and l.expires_at > clock_timestamp()) then
    return;
  end if;
  perform realtime.send(jsonb_build_object('serial', e.serial, 'job_id', e.job_id, 'number', j.number, 'version', j.version,
    'state', e.state, 'percent', e.percent, 'reason', e.reason, 'attempt', e.attempt, 'at', ec.iso_time(e.changed_at)),
    'ota', l.topic, true)
  from public.ota_job_devices e
  join public.ota_jobs j on j.id = e.job_id
  join ec.live_leases l on l.kind = 'device' and l.device_num = e.device_num and l.expires_at > clock_timestamp()
  where e.id = any (execution_ids);
  with changed as (
    insert into ec.live_pending (topic, device_num)
    select l.topic, x.device_num
    from (
      select e.job_id, e.device_num from public.ota_job_devices e where e.id = any (execution_ids)
      union all select i, 0 from unnest(job_ids) i
    ) x
    join ec.live_leases l on l.kind = 'job' and l.job_id = x.job_id and l.expires_at > clock_timestamp()
    returning topic
  )
  select array_agg(distinct c.topic) into topics from changed c;
  if topics is not null then
    perform ec.send_due_topics(topics);
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.split_stages(stages jsonb, free integer, named integer[])
 RETURNS TABLE(stage integer, part jsonb, upto integer)
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  total int := free + (select coalesce(sum(n), 0) from unnest(named) n);
  given int := 0;
  wanted int;
begin
  upto := 0;
  stage := 0;
  for part in select s from jsonb_array_elements(stages) with ordinality x (s, n) order by n loop
    given := given + coalesce(named[stage + 1], 0);
    wanted := case
      when part ? 'count' then (part ->> 'count')::int
      when part ? 'percent' then greatest(ceil(total * (part ->> 'percent')::numeric / 100)::int - given, 0)
      else 0
    end;
    wanted := least(wanted, free - upto);
    upto := upto + wanted;
    given := given + wanted;
    part := '{"soak_s": 0}' || part || jsonb_build_object('devices', wanted + coalesce(named[stage + 1], 0));
    return next;
    stage := stage + 1;
  end loop;
  if upto < free then
    part := jsonb_build_object('percent', 100, 'soak_s', 0, 'devices', free - upto);
    upto := free;
    return next;
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION private.staff_rank(role text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select array_position(array['viewer', 'operator', 'org_admin'], role)
$function$;
comment on function private.staff_rank(text) is 'Null for roles that are no staff of an org';

CREATE OR REPLACE FUNCTION private.stamp_desired()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  new.desired_at := clock_timestamp();
  new.desired_times := private.stamp_shadow(old.desired_times, old.desired, new.desired, to_jsonb(ec.iso_time(new.desired_at)));
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION private.stamp_shadow(times jsonb, before jsonb, after jsonb, at jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  stamped jsonb := '{}';
  entry record;
begin
  for entry in select e.key, e.value, before -> e.key as old, times -> e.key as stamp from jsonb_each(after) e loop
    stamped := stamped || jsonb_build_object(entry.key, case
      when entry.value = entry.old and entry.stamp is not null then entry.stamp
      when jsonb_typeof(entry.value) = 'object' and entry.value <> '{}' then private.stamp_shadow(
        case when jsonb_typeof(entry.stamp) = 'object' then entry.stamp else '{}' end,
        case when jsonb_typeof(entry.old) = 'object' then entry.old else '{}' end, entry.value, at)
      else at
    end);
  end loop;
  return stamped;
end
$function$;

CREATE OR REPLACE FUNCTION private.start_tenure(device_id uuid, forget boolean)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  device public.devices;
  new_tenure int;
  tenure_start timestamptz;
begin
  select d.* into strict device from public.devices d where d.id = start_tenure.device_id for no key update;
  update public.device_tenures t set ended_at = greatest(clock_timestamp(), t.started_at)
  where t.device_id = device.id and t.ended_at is null;
  insert into public.device_tenures (device_id, device_num, org_id, location_id, customer_id)
  values (device.id, device.num, device.org_id, device.location_id, device.customer_id)
  returning id, started_at into new_tenure, tenure_start;

  update public.devices d set
    tenure_id = new_tenure,
    desired = case when forget then '{}' else d.desired end,
    desired_version = d.desired_version + case when forget and d.desired <> '{}' then 1 else 0 end
  where d.id = device.id;

  insert into public.device_state as s
    (device_num, device_id, serial, org_num, tenure_id, product_type)
  select device.num, device.id, device.serial, o.num, new_tenure, device.product_type
  from public.orgs o where o.id = device.org_id
  on conflict (device_num) do update set
    org_num = excluded.org_num, tenure_id = excluded.tenure_id, tenure_started_at = tenure_start;

  if forget then
    update public.device_state s set
      reported = '{}', reported_at = null, older = '{}', reported_version = s.reported_version + 1,
      w_temp = '{}', w_hum = '{}', w_co2 = '{}', w_bat = '{}', s_temp = 0, s_hum = 0, s_co2 = 0, s_bat = 0
    where s.device_num = device.num;
    perform private.end_commands(device.id, 'handed_over');
    perform private.clear_retained(device.serial);
  end if;
  return new_tenure;
end
$function$;

CREATE OR REPLACE FUNCTION private.step_job(job public.ota_jobs, at timestamp with time zone)
 RETURNS public.ota_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  tally record;
  reason jsonb;
  has_passed bool;
  soak interval;
begin
  loop
    update public.ota_job_devices e set released = true
    where e.id in (
      select x.id from public.ota_job_devices x
      where x.job_id = job.id and x.stage <= job.stage and not x.released and private.is_open(x.state)
      order by x.id for update skip locked
    );
    reason := private.failed_stage(job);
    if reason is not null then
      return private.abort_job(job, reason);
    end if;

    tally := private.tally_stage(job, job.stage);
    soak := make_interval(secs => (job.stages -> job.stage ->> 'soak_s')::int);
    -- A stage whose devices have all left has shown nothing: an earlier one must have.
    has_passed := tally.devices = 0 and (job.stages -> job.stage -> 'devices' = '0' or exists (
        select from public.ota_job_devices e where e.job_id = job.id and e.stage < job.stage and e.state = 'succeeded'))
      or tally.succeeded > 0 and (tally.succeeded * 2 >= tally.devices or tally.waiting + tally.under_way = 0);
    if not has_passed and tally.succeeded = 0 and tally.waiting + tally.under_way = 0
      and job.stage < jsonb_array_length(job.stages) - 1 then
      return private.abort_job(job, jsonb_build_object('kind', 'no_success', 'stage', job.stage, 'failed', tally.failed,
        'finished', tally.finished));
    end if;

    if has_passed and job.soaking_since is null and tally.under_way = 0 then
      update public.ota_jobs j set soaking_since = at where j.id = job.id returning j.* into job;
      if tally.devices > 0 and soak > interval '0' then
        perform private.log_job(job, 'soaking', jsonb_build_object('stage', job.stage, 'soak_s', job.stages -> job.stage -> 'soak_s'));
      end if;
    elsif not has_passed and job.soaking_since is not null then
      update public.ota_jobs j set soaking_since = null where j.id = job.id returning j.* into job;
    end if;
    exit when job.soaking_since is null or tally.devices > 0 and at < job.soaking_since + soak
      or job.stage = jsonb_array_length(job.stages) - 1;
    update public.ota_jobs j set stage = j.stage + 1, soaking_since = null where j.id = job.id returning j.* into job;
    perform private.log_job(job, 'stage_released',
      jsonb_build_object('stage', job.stage, 'devices', job.stages -> job.stage -> 'devices'));
  end loop;

  tally := private.tally_stage(job, job.stage);
  soak := make_interval(secs => (job.stages -> job.stage ->> 'soak_s')::int);
  if job.stage = jsonb_array_length(job.stages) - 1
    and not exists (select from public.ota_job_devices e where e.job_id = job.id and private.is_open(e.state))
    and (tally.succeeded = 0 or job.soaking_since is not null and at >= job.soaking_since + soak) then
    return private.complete_job(job);
  end if;
  return job;
end
$function$;

CREATE OR REPLACE FUNCTION private.store_secret(device public.devices, secret_sha256 bytea, password_hash text, salt text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  credential_id uuid;
begin
  if device.desired <> '{}' and not exists (select from ec.mqtt_credentials c where c.serial = device.serial) then
    perform private.send_desired(device);
  end if;
  insert into public.device_credentials
    (device_id, serial, password_hash, salt, secret_sha256, issued_by_kind, issued_by_id)
  values (device.id, device.serial, password_hash, salt, secret_sha256, private.actor_kind(), private.actor_id())
  returning id into credential_id;
  perform pg_notify('ec_credentials', device.serial);
  return credential_id;
end
$function$;

CREATE OR REPLACE FUNCTION private.supersede_ota(device_nums integer[], number integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  held bigint[];
begin
  select array_agg(x.id) into held from (
    select e.id from public.ota_job_devices e where e.device_num = any (device_nums) and e.state = 'queued' order by e.id for update
  ) x;
  perform private.withdraw_messages(array(select e.outbox_id from public.ota_job_devices e where e.id = any (held)));
  perform private.end_ota(array(
    select e.id from public.ota_job_devices e
    where e.id = any (held) and e.state = 'queued' and not private.is_on_its_way(e.outbox_id)
  ), 'cancelled', format('superseded by job #%s', number));
end
$function$;

CREATE OR REPLACE FUNCTION private.tally_stage(job public.ota_jobs, stage integer, OUT devices integer, OUT waiting integer, OUT under_way integer, OUT succeeded integer, OUT failed integer, OUT finished integer)
 RETURNS record
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select count(*) filter (where e.state <> 'cancelled'), count(*) filter (where e.state = 'queued'),
    count(*) filter (where e.state in ('sent', 'downloading', 'installing', 'rebooting')),
    count(*) filter (where e.state = 'succeeded'),
    count(*) filter (where e.state in ('failed', 'rolled_back', 'timed_out', 'rejected') and e.finished_at >= job.counting_since),
    count(*) filter (where e.state in ('succeeded', 'failed', 'rolled_back', 'timed_out', 'rejected') and e.finished_at >= job.counting_since)
  from public.ota_job_devices e where e.job_id = job.id and e.stage = tally_stage.stage
$function$;

CREATE OR REPLACE FUNCTION private.token_is_void()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  claims jsonb;
begin
  -- The API has asked before anything else.
  if session_user = 'ec_api' then
    return false;
  end if;
  claims := private.claims();
  return claims ? 'ec_topics' and coalesce(current_setting('realtime.topic', true), '') = ''
    or claims ? 'session_id' and not ec.session_is_live((claims ->> 'session_id')::uuid);
end
$function$;
grant execute on function private.token_is_void() to authenticated;
comment on function private.token_is_void() is 'Whether the token at hand is good for nothing here: its session is gone, or it was made for live topics only';

CREATE OR REPLACE FUNCTION private.usable_firmware(org_id uuid, firmware_id uuid)
 RETURNS public.firmware
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  firmware public.firmware;
begin
  select f.* into firmware from public.firmware f
  where f.id = usable_firmware.firmware_id and (f.org_id = usable_firmware.org_id or f.state = 'ready' and exists (
    select from public.devices d
    where d.org_id = usable_firmware.org_id and d.product_type = f.product_type and d.maker_org_id = f.org_id));
  if firmware.id is null then
    perform private.refuse_missing();
  elsif firmware.state <> 'ready' then
    perform private.refuse('EC409', 'conflict', 'This firmware is not ready for use.', jsonb_build_object('state', firmware.state));
  end if;
  return firmware;
end
$function$;

CREATE OR REPLACE FUNCTION private.window_opens(job_window jsonb, zone text, at timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  starts time := job_window ->> 'start';
  ends time := job_window ->> 'end';
  day date := (at at time zone zone)::date - 1;
begin
  for n in 0 .. 8 loop
    if (not job_window ? 'days' or job_window -> 'days' ? lower(to_char(day + n, 'dy')))
      and at < (day + n + (ends <= starts)::int + ends) at time zone zone then
      return greatest(at, (day + n + starts) at time zone zone);
    end if;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION private.withdraw_messages(outbox_ids bigint[])
 RETURNS SETOF bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  delete from ec.mqtt_outbox o
  where o.id in (
    select m.id from ec.mqtt_outbox m
    where m.id = any (outbox_ids) and m.sent_at is null
      and (m.claimed_until is null or m.claimed_until <= clock_timestamp())
    for update skip locked
  )
  returning o.id
$function$;

CREATE OR REPLACE FUNCTION private.write_audit(action text, target_kind text, target_id text, org_id uuid, before jsonb DEFAULT NULL::jsonb, after jsonb DEFAULT NULL::jsonb, partner_id uuid DEFAULT NULL::uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  old_part jsonb := before;
  new_part jsonb := after;
begin
  if before is not null and after is not null then
    select jsonb_object_agg(b.key, b.value) into old_part
    from jsonb_each(before) b where b.value is distinct from after -> b.key;
    select jsonb_object_agg(a.key, a.value) into new_part
    from jsonb_each(after) a where a.value is distinct from before -> a.key;
    if old_part is null and new_part is null then
      return;
    end if;
  end if;
  insert into public.audit_log (
    org_id, partner_id, actor_kind, actor_id, actor_label, action, target_kind, target_id, before, after, request_id,
    address)
  values (
    write_audit.org_id, write_audit.partner_id, coalesce(private.actor_kind(), 'system'), private.actor_id(),
    private.actor_label(), action, target_kind, target_id, old_part, new_part,
    nullif(current_setting('ec.request_id', true), ''), private.client_address()
  );
end
$function$;

CREATE OR REPLACE FUNCTION private.write_handover_audit(action text, serial text, org_id uuid, actor text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  insert into public.audit_log (org_id, actor_kind, actor_label, action, target_kind, target_id, request_id)
  values (org_id, 'system', actor, action, 'device', serial, nullif(current_setting('ec.request_id', true), ''))
$function$;

CREATE OR REPLACE FUNCTION private.zone_of(org_id uuid, location_id uuid)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with recursive up as (
    select l.parent_id, l.timezone, 1 as depth from public.locations l where l.id = zone_of.location_id
    union all
    select l.parent_id, l.timezone, up.depth + 1 from up join public.locations l on l.id = up.parent_id
  )
  select coalesce((select up.timezone from up where up.timezone is not null order by up.depth limit 1), o.timezone)
  from public.orgs o where o.id = zone_of.org_id
$function$;
comment on function private.zone_of(uuid,uuid) is 'IANA zone of a place: its own, of what it lies in, of its org';

-- Jobs (-- name: schedule — command)

-- ec_advance_ota_jobs: 30 seconds — select ec.advance_ota_jobs(now())
-- ec_drop_old_partitions: 17 * * * * — select ec.drop_old_partitions(now())
-- ec_ensure_partitions: 7 * * * * — select ec.ensure_partitions(now())
-- ec_expire_commands: 30 seconds — select ec.expire_commands(now())
-- ec_expire_credentials: * * * * * — select ec.expire_credentials(now())
-- ec_kick_mail: * * * * * — select ec.kick_mail(now())
-- ec_mark_offline: 30 seconds — select ec.mark_offline(now())
-- ec_purge_expired: 23 * * * * — select ec.purge_expired(now())
-- ec_run_rollups: 30 seconds — select ec.run_rollups(now())
-- ec_sweep_live: 5 seconds — select ec.sweep_live(now())
-- ec_sweep_pending_firmware: * * * * * — select ec.sweep_pending_firmware()
