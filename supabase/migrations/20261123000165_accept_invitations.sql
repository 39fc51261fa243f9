-- Accepting. The token proves who was invited, the account's confirmed address that it is them.

create function private.staff_rank(role text) returns int
language sql immutable
set search_path = ''
as $$
  select array_position(array['viewer', 'operator', 'org_admin'], role)
$$;
comment on function private.staff_rank(text) is 'Null for roles that are no staff of an org';

-- A person has one staff role in an org: an invitation to a higher one raises it, to a lower one changes nothing.
create function private.grant_membership(user_id uuid, invitation public.invitations) returns uuid
language plpgsql security definer
set search_path = ''
as $$
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
$$;

-- GUARD: whoever holds the token
create function private.require_invitation(token_sha256 bytea) returns public.invitations
language plpgsql stable security definer
set search_path = ''
as $$
declare
  invitation public.invitations;
begin
  select i.* into invitation from public.invitations i where i.token_sha256 = require_invitation.token_sha256;
  if invitation.id is null then
    perform private.refuse_missing();
  end if;
  return invitation;
end
$$;

create function ec.preview_invitation(token_sha256 bytea) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  invitation public.invitations := private.require_invitation(token_sha256);
begin
  return jsonb_build_object(
    'state', private.invitation_state(invitation.accepted_at, invitation.revoked_at, invitation.expires_at),
    'email', invitation.email, 'role', invitation.role, 'org', private.org_face(invitation.org_id),
    'partner', private.partner_face(invitation.partner_id), 'expires_at', invitation.expires_at);
end
$$;
comment on function ec.preview_invitation(bytea) is
  'Signed in or not, whoever has the token → {state, email, role, org, partner, expires_at}. EC404';

create function ec.accept_invitation(token_sha256 bytea) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.accept_invitation(bytea) is
  'The invited person → {membership, repeated}. EC403 forbidden {email} | plan_limit, EC404, EC409 already_used, EC410 expired {reason}';

grant execute on function ec.preview_invitation(bytea), ec.accept_invitation(bytea) to authenticated;
