-- Packets refused before they reached ingest: kept with the reason, for the org to see.

-- items: [{"s": serial, "door": mqtt|https, "reason": code, "detail": sentence, "payload": escaped text of at
--   most 8 KB, "bytes": size as received, "r": arrival in µs since the epoch}]
create function ec.record_dead_letters(items json) returns void
language sql security definer set search_path = ''
as $$
  insert into public.dead_letters
    (org_id, device_id, serial, door, reason, detail, payload, payload_bytes, received_at)
  select d.org_id, d.id, left(p.s, 64), p.door, left(p.reason, 64), left(p.detail, 500),
    case when octet_length(p.payload) <= 8192 then p.payload else left(p.payload, 2048) end,
    coalesce(p.bytes, octet_length(p.payload), 0), coalesce(to_timestamp(p.r::float8 / 1e6), now())
  from json_to_recordset(items) as p (s text, door text, reason text, detail text, payload text, bytes int, r bigint)
  left join public.devices d on d.serial = p.s
$$;
comment on function ec.record_dead_letters is 'Stores refused packets with their reason';
grant execute on function ec.record_dead_letters to ec_bridge;
