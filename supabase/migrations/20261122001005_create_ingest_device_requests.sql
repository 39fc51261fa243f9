-- The HTTPS door: authenticates a group of requests and stores their packets with one call, so that many
-- requests share one commit.

-- requests: [{"i", "s": serial, "h": hex sha256 of the device secret, "p": [packets as in
--   ec.ingest_telemetry, without s], "x": [refused packets {reason, detail, payload, bytes}]}]
-- returns, per request in their order, {i, ok, accepted, duplicate, rejected, reboot}; ok is false, and
--   nothing is stored, when the secret is not this device's. `reboot`: answer 205.
create function ec.ingest_device_requests(requests json) returns jsonb
language plpgsql security definer set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  admitted int[];
  credentials uuid[];
  packets json;
  refused json;
  owners int[];
  outcome jsonb;
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
      'accepted', r.sent - r.duplicate - r.bad, 'duplicate', r.duplicate, 'rejected', r.bad + r.refused, 'reboot', false) order by r.o)
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
$$;
comment on function ec.ingest_device_requests is 'The HTTPS door: authenticates and stores a group of requests';
grant execute on function ec.ingest_device_requests to ec_api;
