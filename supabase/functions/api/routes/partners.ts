import {
  Org,
  OrgCreate,
  Partner,
  PartnerCreate,
  PartnerListQuery,
  PartnerOrg,
  PartnerPatch,
  PartnerStats,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { pageReply } from '../http/page-reply.ts';
import { route } from '../http/route.ts';
import { createOrg } from '../services/orgs.ts';
import * as partners from '../services/partners.ts';
import { IdParams } from './params.ts';

const who = { roles: ['admin', 'partner'] } as const;

export const partnerRoutes = [
  route({
    method: 'get',
    path: '/partners',
    who,
    tag: 'Partners',
    summary: 'Partners you may see',
    query: PartnerListQuery,
    replies: { 200: z.array(Partner) },
    handle: async ({ db, query, request }) => pageReply(await partners.listPartners(db, query), request.url),
  }),
  route({
    method: 'post',
    path: '/partners',
    who: { roles: ['admin'] },
    tag: 'Partners',
    summary: 'Create a partner',
    body: PartnerCreate,
    replies: { 201: Partner },
    handle: ({ db, body }) => partners.createPartner(db, body),
  }),
  route({
    method: 'get',
    path: '/partners/{id}',
    who,
    tag: 'Partners',
    summary: 'One partner',
    params: IdParams,
    replies: { 200: Partner },
    handle: ({ db, params }) => partners.getPartner(db, params.id),
  }),
  route({
    method: 'patch',
    path: '/partners/{id}',
    who,
    tag: 'Partners',
    summary: 'Change a partner; the plan is for administrators',
    params: IdParams,
    body: PartnerPatch,
    replies: { 200: Partner },
    handle: ({ db, params, body }) => partners.patchPartner(db, params.id, body),
  }),
  route({
    method: 'get',
    path: '/partners/{id}/stats',
    who,
    tag: 'Partners',
    summary: 'Counts over all organisations of a partner',
    params: IdParams,
    replies: { 200: PartnerStats },
    handle: ({ db, params }) => partners.partnerStats(db, params.id),
  }),
  route({
    method: 'get',
    path: '/partners/{id}/orgs',
    who,
    tag: 'Partners',
    summary: 'Organisations of a partner with their counts',
    params: IdParams,
    replies: { 200: z.array(PartnerOrg) },
    handle: ({ db, params }) => partners.partnerOrgs(db, params.id),
  }),
  route({
    method: 'post',
    path: '/partners/{id}/orgs',
    who,
    tag: 'Partners',
    summary: 'Create an organisation of a partner',
    params: IdParams,
    body: OrgCreate,
    replies: { 201: Org },
    handle: ({ db, params, body }) => createOrg(db, { ...body, partner_id: params.id }),
  }),
];
