-- Mail leaves from the worker function: it claims rows with a lease of a minute, and is woken by whoever wrote one.

alter table ec.mail_outbox add column failed_at timestamptz;
comment on column ec.mail_outbox.failed_at is 'Given up; data is emptied, as it is once sent, because it may hold a token';
drop index ec.mail_outbox_unsent_idx;
create index mail_outbox_unsent_idx on ec.mail_outbox (next_attempt_at) where sent_at is null and failed_at is null;

-- Wakes the worker function after this transaction, once. Where no worker is set up, the mail waits.
create function private.kick_worker(job text) returns void
language plpgsql security definer
set search_path = ''
as $$
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
$$;

create function private.enqueue_mail(org_id uuid, to_address text, template text, data jsonb) returns bigint
language plpgsql security definer
set search_path = ''
as $$
declare
  outbox_id bigint;
begin
  insert into ec.mail_outbox (org_id, to_address, template, data) values (org_id, to_address, template, data)
  returning id into outbox_id;
  perform private.kick_worker('mail');
  return outbox_id;
end
$$;

create function ec.claim_mail(worker text, max int default 20)
returns table (id bigint, org_id uuid, to_address text, template text, data jsonb, attempts int)
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.claim_mail(text, int) is 'Due mail, leased to the worker for 60 s; attempts counts this one';

create function ec.finish_mail(id bigint, worker text) returns void
language sql security definer
set search_path = ''
as $$
  update ec.mail_outbox o set sent_at = clock_timestamp(), claimed_until = null, data = '{}', last_error = null
  where o.id = finish_mail.id and o.claimed_by = worker and o.sent_at is null
$$;
comment on function ec.finish_mail(bigint, text) is 'The mail service took it; what it said is forgotten';

create function ec.fail_mail(id bigint, worker text, error text, retry bool default true) returns void
language sql security definer
set search_path = ''
as $$
  update ec.mail_outbox o set
    claimed_by = null, claimed_until = null, last_error = left(error, 500),
    failed_at = case when not retry or o.attempts >= 8 then clock_timestamp() end,
    data = case when not retry or o.attempts >= 8 then '{}' else o.data end,
    -- 30 s, 1 min, 2 min … up to an hour, each a quarter more or less
    next_attempt_at = clock_timestamp()
      + least(30 * 2 ^ (o.attempts - 1), 3600) * (0.75 + random() / 2) * interval '1 second'
  where o.id = fail_mail.id and o.claimed_by = worker and o.sent_at is null
$$;
comment on function ec.fail_mail(bigint, text, text, bool) is 'Tried in vain: again later, or given up after 8 tries or when retry is false';

create function ec.kick_mail(at timestamptz) returns int
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.kick_mail(timestamptz) is 'Cron: the safety net of the kick in the transaction that wrote the mail → how many are due';

grant execute on function
  ec.claim_mail(text, int), ec.finish_mail(bigint, text), ec.fail_mail(bigint, text, text, bool)
to ec_worker;
