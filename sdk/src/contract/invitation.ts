/** Invitations by e-mail: single use, expiring, bound to the address. */
import { z } from 'zod';
import { Face } from './face.ts';
import { Id, Timestamp } from './ids.ts';
import { Membership, Role } from './member.ts';
import { PageQuery } from './page.ts';

/** Lower case, so that one person is invited once. */
export const InvitedEmail = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email())
  .meta({ type: 'string', format: 'email' });

export const InvitationState = z.enum(['open', 'accepted', 'expired', 'revoked']);
export type InvitationState = z.infer<typeof InvitationState>;

export const Invitation = z
  .object({
    id: Id,
    org_id: Id.nullable(),
    partner_id: Id.nullable(),
    location_id: Id.nullable(),
    role: Role,
    email: z.string(),
    state: InvitationState,
    invited_by: z.string().nullable().describe('E-mail of who invited'),
    created_at: Timestamp,
    expires_at: Timestamp,
    accepted_at: Timestamp.nullable(),
    revoked_at: Timestamp.nullable(),
    sent_count: z.int(),
    last_sent_at: Timestamp.nullable(),
  })
  .meta({ id: 'Invitation' });
export type Invitation = z.infer<typeof Invitation>;

/** Roles that are handed out inside an organisation; a tenant's needs the room. */
export const OrgInvitationCreate = z
  .strictObject({
    email: InvitedEmail,
    role: z.enum(['org_admin', 'operator', 'viewer', 'customer', 'tenant']),
    location_id: Id.nullable().optional().describe('The room, for a tenant'),
  })
  .refine((value) => (value.role === 'tenant') === Boolean(value.location_id), {
    message: 'a tenant needs a location_id, and nobody else has one',
    path: ['location_id'],
  })
  .meta({ id: 'OrgInvitationCreate' });
export type OrgInvitationCreate = z.output<typeof OrgInvitationCreate>;
export type OrgInvitationCreateInput = z.input<typeof OrgInvitationCreate>;

/** Always as a partner. */
export const PartnerInvitationCreate = z
  .strictObject({ email: InvitedEmail })
  .meta({ id: 'PartnerInvitationCreate' });
export type PartnerInvitationCreate = z.output<typeof PartnerInvitationCreate>;

export const InvitationQuery = PageQuery.extend({ state: InvitationState.optional() });
export type InvitationQuery = z.infer<typeof InvitationQuery>;

export const InvitationTokenRequest = z
  .strictObject({ token: z.string().regex(/^[A-Za-z0-9_-]{20,128}$/, 'use the token out of the link') })
  .meta({ id: 'InvitationTokenRequest' });
export type InvitationTokenRequest = z.infer<typeof InvitationTokenRequest>;

/** POST /invitations/preview: one of `org` and `partner` is there. */
export const InvitationPreview = z
  .object({
    state: InvitationState,
    email: z.string(),
    role: Role,
    org: Face.nullable(),
    partner: Face.nullable(),
    expires_at: Timestamp,
  })
  .meta({ id: 'InvitationPreview' });
export type InvitationPreview = z.infer<typeof InvitationPreview>;

export const InvitationAccepted = z
  .object({ membership: Membership, home: z.string() })
  .meta({ id: 'InvitationAccepted' });
export type InvitationAccepted = z.infer<typeof InvitationAccepted>;
