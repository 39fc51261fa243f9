-- Inviting. The API makes the token, hands in its hash and the link with it; the link is only in the mail.

-- GUARD: who may hand out which role where. A role is fixed by the invitation, nobody raises it later.
create function private.require_inviter(target jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
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
$$;

create function private.mail_invitation(invitation public.invitations, url text) returns void
language plpgsql security definer
set search_path = ''
as $$
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
$$;

-- Seats that open invitations of an org will take.
create function private.promised_seats(org_id uuid, but_not text) returns int
language sql stable security definer
set search_path = ''
as $$
  select count(distinct i.email)::int from public.invitations i
  where i.org_id = promised_seats.org_id and i.role in ('org_admin', 'operator', 'viewer') and i.email <> but_not
    and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
$$;

create function ec.create_invitation(target jsonb, token_sha256 bytea, url text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.create_invitation(jsonb, bytea, text) is
  '{org_id | partner_id, role, email, location_id?} → the invitation; an open one is sent again. EC403 forbidden | plan_limit, EC404, EC409, EC422';

-- GUARD: as for inviting
create function private.lock_invitation(invitation_id uuid) returns public.invitations
language plpgsql security definer
set search_path = ''
as $$
declare
  invitation public.invitations;
begin
  select i.* into invitation from public.invitations i where i.id = lock_invitation.invitation_id for update;
  perform private.require_inviter(case when invitation.id is null then '{}' else jsonb_build_object(
    'org_id', invitation.org_id, 'partner_id', invitation.partner_id, 'role', invitation.role,
    'location_id', invitation.location_id) end);
  return invitation;
end
$$;

create function ec.resend_invitation(invitation_id uuid, token_sha256 bytea, url text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.resend_invitation(uuid, bytea, text) is
  'A new link for 7 days, the one before ends → the invitation. EC403, EC404, EC409';

create function ec.revoke_invitation(invitation_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.revoke_invitation(uuid) is 'Ends it at once; repeating it changes nothing. EC403, EC404, EC409 already_used';

grant execute on function
  ec.create_invitation(jsonb, bytea, text), ec.resend_invitation(uuid, bytea, text), ec.revoke_invitation(uuid)
to authenticated;
