-- The audit log, outboxes and the small internal tables workers share.

create table public.audit_log (
  id bigint generated always as identity primary key,
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
  created_at timestamptz not null default now()
);
create index audit_log_org_id_idx on public.audit_log (org_id, id desc);
create index audit_log_partner_id_idx on public.audit_log (partner_id, id desc) where partner_id is not null;
comment on table public.audit_log is 'Append-only, and without foreign keys: it outlives what it describes';

create function private.refuse_audit_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception using errcode = 'EC403', message = 'forbidden', detail = 'The audit log is append-only.';
end
$$;
create trigger audit_log_is_append_only before update or delete or truncate on public.audit_log
  for each statement execute function private.refuse_audit_change();

-- Outboxes: rows are written in the transaction that caused them, workers claim with a lease, and what is
-- not finished when the lease ends is claimed again. Delivery is at least once.
create table ec.mqtt_outbox (
  id bigint generated always as identity primary key,
  serial text not null,
  topic text not null,
  payload text not null,
  qos int not null default 1,
  retain bool not null default false,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  claimed_by text,
  claimed_until timestamptz,
  sent_at timestamptz,
  attempts int not null default 0,
  constraint qos_is_valid check (qos between 0 and 2)
);
create index mqtt_outbox_unsent_idx on ec.mqtt_outbox (id) where sent_at is null;
create index mqtt_outbox_unsent_topic_idx on ec.mqtt_outbox (topic, id) where sent_at is null;
create index mqtt_outbox_sent_at_idx on ec.mqtt_outbox (sent_at) where sent_at is not null;
comment on column ec.mqtt_outbox.payload is 'Empty with retain = clears what the broker keeps for the topic';

create table ec.webhook_outbox (
  id bigint generated always as identity primary key,
  org_id uuid not null references public.orgs (id),
  event text not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  next_attempt_at timestamptz not null default now(),
  claimed_by text,
  claimed_until timestamptz,
  sent_at timestamptz,
  attempts int not null default 0,
  last_error text
);
create index webhook_outbox_unsent_idx on ec.webhook_outbox (next_attempt_at) where sent_at is null;
create index webhook_outbox_org_id_idx on ec.webhook_outbox (org_id);

create table ec.mail_outbox (
  id bigint generated always as identity primary key,
  org_id uuid references public.orgs (id),
  to_address text not null,
  template text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null default now(),
  next_attempt_at timestamptz not null default now(),
  claimed_by text,
  claimed_until timestamptz,
  sent_at timestamptz,
  attempts int not null default 0,
  last_error text
);
create index mail_outbox_unsent_idx on ec.mail_outbox (next_attempt_at) where sent_at is null;
create index mail_outbox_org_id_idx on ec.mail_outbox (org_id);

create table ec.ingest_log (
  id bigint generated always as identity primary key,
  device_nums int[] not null,
  minutes int[] not null,
  created_at timestamptz not null default now()
);
comment on table ec.ingest_log is
  'What changed since the last roll-up: parallel arrays of device and minute (epoch / 60), consumed by ec.run_rollups()';

create unlogged table ec.live_leases (
  topic text primary key,
  kind text not null,
  org_id uuid not null,
  org_num int not null,
  device_num int,
  expires_at timestamptz not null,
  last_sent_at timestamptz,
  constraint kind_is_known check (kind in ('device', 'org'))
);
create index live_leases_device_num_idx on ec.live_leases (device_num) where kind = 'device';
create index live_leases_org_num_idx on ec.live_leases (org_num) where kind = 'org';
comment on table ec.live_leases is 'Topics somebody looks at now; unlogged, viewers renew within seconds';

create table ec.idempotency_keys (
  actor_kind text not null,
  actor_id uuid not null,
  key text not null,
  request_sha256 bytea not null,
  status int,
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (actor_kind, actor_id, key),
  constraint key_is_short check (length(key) between 1 and 255)
);
create index idempotency_keys_created_at_idx on ec.idempotency_keys (created_at);
comment on column ec.idempotency_keys.response is 'Never contains a secret; null while the first request still runs';

alter table public.audit_log enable row level security;
alter table ec.mqtt_outbox enable row level security;
alter table ec.webhook_outbox enable row level security;
alter table ec.mail_outbox enable row level security;
alter table ec.ingest_log enable row level security;
alter table ec.live_leases enable row level security;
alter table ec.idempotency_keys enable row level security;
