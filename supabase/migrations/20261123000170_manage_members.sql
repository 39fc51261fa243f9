-- Changing and ending the access people have. It counts from their next request on.

-- An org keeps somebody who runs it, unless its partner or the platform's administrators take over.
create function private.require_other_org_admin(member public.memberships) returns void
language plpgsql security definer
set search_path = ''
as $$
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
$$;

create function private.require_other_admin(member public.memberships) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('private.require_other_admin', 0));
  if not exists (
    select from public.memberships m where m.role = 'admin' and m.ended_at is null and m.user_id <> member.user_id
  ) then
    perform private.refuse('EC409', 'conflict', 'This is the platform''s last administrator.');
  end if;
end
$$;

-- GUARD: who hands out access may change and end it; platform and partner access is the administrators'.
create function private.lock_membership(membership_id uuid) returns public.memberships
language plpgsql security definer
set search_path = ''
as $$
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
$$;

create function private.member_json(member public.memberships) returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'id', member.id, 'user_id', member.user_id, 'email', p.email, 'full_name', p.full_name, 'role', member.role,
    'location_id', member.location_id, 'location_name', l.name, 'created_at', member.created_at)
  from public.profiles p left join public.locations l on l.id = member.location_id
  where p.id = member.user_id
$$;

create function ec.change_member_role(membership_id uuid, role text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.change_member_role(uuid, text) is
  'Among org_admin, operator, viewer; counts at once → the member. EC403, EC404, EC409 conflict (last org admin), EC422';

create function ec.end_membership(membership_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
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
$$;
comment on function ec.end_membership(uuid) is
  'Access ends here at once; repeating it changes nothing. EC403, EC404, EC409 conflict (last admin)';

grant execute on function ec.change_member_role(uuid, text), ec.end_membership(uuid) to authenticated;
