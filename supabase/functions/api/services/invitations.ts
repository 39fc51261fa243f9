/** Invitations. The token is made here, mailed by the database's outbox, and stored as a hash. */
import { ROLE_HOME } from '@edgeconductor/sdk/contract';
import type {
  Invitation,
  InvitationAccepted,
  InvitationPreview,
  InvitationQuery,
  Role,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import type { Env } from '../../_shared/env.ts';
import { makeInvitationToken, sha256 } from '../../_shared/secrets.ts';
import { invitationUrl } from './links.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';
import { requirePartner } from './partners.ts';
import { requireOrg } from './rights.ts';
import { isoTimes } from './times.ts';

type Fragment = ReturnType<Db>;

export interface InvitationTarget {
  org_id?: string;
  partner_id?: string;
  role: Role;
  email: string;
  location_id?: string | null | undefined;
}

export async function listOrgInvitations(
  db: Db,
  orgId: string,
  query: InvitationQuery,
): Promise<Page<Invitation>> {
  await requireOrg(db, orgId, 'invite');
  return list(db, db`i.org_id = ${orgId}`, query);
}

export async function listPartnerInvitations(
  db: Db,
  partnerId: string,
  query: InvitationQuery,
): Promise<Page<Invitation>> {
  await requirePartner(db, partnerId);
  return list(db, db`i.partner_id = ${partnerId}`, query);
}

/** Newest first. */
async function list(db: Db, where: Fragment, query: InvitationQuery): Promise<Page<Invitation>> {
  const from = query.after === undefined ? null : decodeCursor(query.after, 2);
  const state = db`private.invitation_state(i.accepted_at, i.revoked_at, i.expires_at)`;
  const rows = await db<Invitation[]>`
    select i.id, i.org_id, i.partner_id, i.location_id, i.role, i.email, ${state} as state,
      p.email as invited_by, i.created_at, i.expires_at, i.accepted_at, i.revoked_at, i.sent_count, i.last_sent_at
    from public.invitations i left join public.profiles p on p.id = i.invited_by
    where ${where}
      ${query.state ? db`and ${state} = ${query.state}` : db``}
      ${
        from === null
          ? db``
          : db`and (date_trunc('milliseconds', i.created_at), i.id) < (${String(from[0])}::timestamptz, ${String(from[1])}::uuid)`
      }
    order by date_trunc('milliseconds', i.created_at) desc, i.id desc limit ${query.limit + 1}`;
  return cutPage(rows, query.limit, (row) => [row.created_at, row.id]);
}

/** Invites, or sends an open invitation once more under a new token. */
export async function createInvitation(db: Db, env: Env, target: InvitationTarget): Promise<Invitation> {
  const { hash, url } = await newToken(env);
  const [row] = await db<{ invitation: Invitation }[]>`
    select ec.create_invitation(${JSON.stringify(target)}::text::jsonb, ${hash}, ${url}) as invitation`;
  return isoTimes((row as { invitation: Invitation }).invitation);
}

/** The link sent before no longer works. */
export async function resendInvitation(db: Db, env: Env, id: string): Promise<Invitation> {
  const { hash, url } = await newToken(env);
  const [row] = await db<{ invitation: Invitation }[]>`
    select ec.resend_invitation(${id}, ${hash}, ${url}) as invitation`;
  return isoTimes((row as { invitation: Invitation }).invitation);
}

export async function revokeInvitation(db: Db, id: string): Promise<void> {
  await db`select ec.revoke_invitation(${id})`;
}

export async function previewInvitation(db: Db, token: string): Promise<InvitationPreview> {
  const [row] = await db<{ preview: InvitationPreview }[]>`
    select ec.preview_invitation(${await sha256(token)}) as preview`;
  return isoTimes((row as { preview: InvitationPreview }).preview);
}

export async function acceptInvitation(
  db: Db,
  token: string,
): Promise<{ repeated: boolean; accepted: InvitationAccepted }> {
  type Result = { membership: InvitationAccepted['membership']; repeated: boolean };
  const [row] = await db<{ result: Result }[]>`
    select ec.accept_invitation(${await sha256(token)}) as result`;
  const { membership, repeated } = (row as { result: Result }).result;
  return { repeated, accepted: { membership, home: ROLE_HOME[membership.role] } };
}

async function newToken(env: Env): Promise<{ hash: Uint8Array; url: string }> {
  const token = makeInvitationToken();
  return { hash: await sha256(token), url: invitationUrl(env, token) };
}
