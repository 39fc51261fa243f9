import {
  Invitation,
  InvitationAccepted,
  InvitationPreview,
  InvitationQuery,
  InvitationTokenRequest,
  OrgInvitationCreate,
  PartnerInvitationCreate,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { ADDRESS_LIMITS } from '../http/limits.ts';
import { pageReply } from '../http/page-reply.ts';
import { Reply, route, STAFF } from '../http/route.ts';
import * as invitations from '../services/invitations.ts';
import { IdParams } from './params.ts';

const tag = 'Invitations';
const limits = { address: ADDRESS_LIMITS.invitation, onlyMisses: true } as const;
const who = { roles: STAFF } as const;
const partners = { roles: ['admin', 'partner'] } as const;

export const invitationRoutes = [
  route({
    method: 'post',
    path: '/invitations/preview',
    who: { anonymous: true },
    tag,
    summary: 'Who invites whom to what, by the token of the link',
    body: InvitationTokenRequest,
    replies: { 200: InvitationPreview },
    limits,
    handle: ({ db, body }) => invitations.previewInvitation(db, body.token),
  }),
  route({
    method: 'post',
    path: '/invitations/accept',
    who: { anyone: true },
    tag,
    summary: 'Accept an invitation to your own address',
    body: InvitationTokenRequest,
    replies: { 201: InvitationAccepted, 200: InvitationAccepted },
    limits,
    handle: async ({ db, body }) => {
      const { repeated, accepted } = await invitations.acceptInvitation(db, body.token);
      return new Reply(repeated ? 200 : 201, accepted);
    },
  }),
  route({
    method: 'get',
    path: '/orgs/{id}/invitations',
    who,
    tag,
    summary: 'Invitations to an organisation, newest first',
    params: IdParams,
    query: InvitationQuery,
    replies: { 200: z.array(Invitation) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await invitations.listOrgInvitations(db, params.id, query), request.url),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/invitations',
    who,
    tag,
    summary: 'Invite somebody by e-mail; inviting again sends a new link',
    params: IdParams,
    body: OrgInvitationCreate,
    replies: { 201: Invitation },
    handle: ({ db, params, body, around }) =>
      invitations.createInvitation(db, around.env, { ...body, org_id: params.id }),
  }),
  route({
    method: 'get',
    path: '/partners/{id}/invitations',
    who: partners,
    tag,
    summary: 'Invitations to a partner, newest first',
    params: IdParams,
    query: InvitationQuery,
    replies: { 200: z.array(Invitation) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await invitations.listPartnerInvitations(db, params.id, query), request.url),
  }),
  route({
    method: 'post',
    path: '/partners/{id}/invitations',
    who: partners,
    tag,
    summary: 'Invite somebody as a partner',
    params: IdParams,
    body: PartnerInvitationCreate,
    replies: { 201: Invitation },
    handle: ({ db, params, body, around }) =>
      invitations.createInvitation(db, around.env, { ...body, role: 'partner', partner_id: params.id }),
  }),
  route({
    method: 'post',
    path: '/invitations/{id}/resend',
    who,
    tag,
    summary: 'Send an invitation again; only the newest link works',
    params: IdParams,
    replies: { 200: Invitation },
    handle: ({ db, params, around }) => invitations.resendInvitation(db, around.env, params.id),
  }),
  route({
    method: 'delete',
    path: '/invitations/{id}',
    who,
    tag,
    summary: 'Revoke an invitation at once',
    params: IdParams,
    replies: { 204: null },
    handle: ({ db, params }) => invitations.revokeInvitation(db, params.id),
  }),
];
