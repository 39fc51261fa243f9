import {
  Org,
  OrgCreate,
  Partner,
  PartnerCreate,
  PartnerOrg,
  PartnerStats,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
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
    replies: { 200: z.array(Partner) },
    handle: ({ db }) => partners.listPartners(db),
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
