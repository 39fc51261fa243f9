import { Org, OrgCreate, OrgListQuery, OrgOverview, OrgPatch } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { pageReply } from '../http/page-reply.ts';
import { route, STAFF } from '../http/route.ts';
import * as orgs from '../services/orgs.ts';
import { readOverview } from '../services/overview.ts';
import { IdParams } from './params.ts';

export const orgRoutes = [
  route({
    method: 'get',
    path: '/orgs',
    who: { roles: STAFF, api_key: ['read'] },
    tag: 'Organisations',
    summary: 'Organisations you may read',
    query: OrgListQuery,
    replies: { 200: z.array(Org) },
    handle: async ({ db, query, request }) => pageReply(await orgs.listOrgs(db, query), request.url),
  }),
  route({
    method: 'post',
    path: '/orgs',
    who: { roles: ['admin', 'partner'] },
    tag: 'Organisations',
    summary: 'Create an organisation',
    body: OrgCreate,
    replies: { 201: Org },
    handle: ({ db, body }) => orgs.createOrg(db, body),
  }),
  route({
    method: 'get',
    path: '/orgs/{id}',
    who: { roles: STAFF, api_key: ['read'] },
    tag: 'Organisations',
    summary: 'One organisation',
    params: IdParams,
    replies: { 200: Org },
    handle: ({ db, params }) => orgs.getOrg(db, params.id),
  }),
  route({
    method: 'patch',
    path: '/orgs/{id}',
    who: { roles: STAFF, api_key: ['write'] },
    tag: 'Organisations',
    summary: 'Change an organisation',
    params: IdParams,
    body: OrgPatch,
    replies: { 200: Org },
    handle: ({ db, params, body }) => orgs.patchOrg(db, params.id, body),
  }),
  route({
    method: 'get',
    path: '/orgs/{id}/overview',
    who: { roles: STAFF, api_key: ['read'] },
    tag: 'Organisations',
    summary: 'What the home of a fleet shows',
    params: IdParams,
    replies: { 200: OrgOverview },
    handle: ({ db, params, around }) => readOverview(db, params.id, around.now()),
  }),
];
