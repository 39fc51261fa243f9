-- Idempotency-Key: the first request runs, a repetition within 24 hours gets the first one's reply. Both calls
-- stand in the transaction of the work: a failure forgets the key, a parallel repetition waits for the first.

create function ec.begin_idempotent(key text, request_sha256 bytea) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.begin_idempotent(text, bytea) is
  'Null = do the work; else the reply to repeat {status, response}. EC409 conflict when the request differs';

create function ec.finish_idempotent(key text, status int, response jsonb) returns void
language sql security definer
set search_path = ''
as $$
  update ec.idempotency_keys i set status = finish_idempotent.status, response = finish_idempotent.response
  where i.actor_kind = private.actor_kind() and i.actor_id = private.actor_id() and i.key = finish_idempotent.key
$$;
comment on function ec.finish_idempotent(text, int, jsonb) is 'Keeps the reply. The caller leaves secrets out of it';

grant execute on function ec.begin_idempotent(text, bytea), ec.finish_idempotent(text, int, jsonb) to authenticated;
