import {
  LiveLeaseRequest,
  LiveLeases,
  LiveToken,
  Me,
  MePatch,
  ProductType,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { EVERYBODY, route, STAFF_AND_CUSTOMER } from '../http/route.ts';
import { leaseTopics, makeLiveToken } from '../services/live.ts';
import { patchMe, whoAmI } from '../services/me.ts';
import { listProductTypes } from '../services/product-types.ts';

export const accountRoutes = [
  route({
    method: 'get',
    path: '/me',
    who: { anyone: true, api_key: [], provisioning_key: true },
    tag: 'Account',
    summary: 'Who this credential is, and its live memberships',
    replies: { 200: Me },
    handle: ({ db, actor }) => whoAmI(db, actor),
  }),
  route({
    method: 'patch',
    path: '/me',
    who: { anyone: true },
    tag: 'Account',
    summary: 'Change your name or preferences',
    body: MePatch,
    replies: { 200: Me },
    handle: ({ db, actor, body }) => patchMe(db, actor, body),
  }),
  route({
    method: 'get',
    path: '/product-types',
    who: { roles: EVERYBODY, api_key: ['read'] },
    tag: 'Devices',
    summary: 'Product types with their metrics',
    replies: { 200: z.array(ProductType) },
    handle: ({ db }) => listProductTypes(db),
  }),
  route({
    method: 'post',
    path: '/live/leases',
    who: { roles: STAFF_AND_CUSTOMER, api_key: ['read'] },
    tag: 'Live',
    summary: 'Start or renew the broadcast of live topics for 20 seconds',
    body: LiveLeaseRequest,
    replies: { 200: LiveLeases },
    handle: ({ db, body, around }) => leaseTopics(db, body.topics, around.now()),
  }),
  route({
    method: 'post',
    path: '/live/token',
    who: { roles: STAFF_AND_CUSTOMER, api_key: ['read'] },
    tag: 'Live',
    summary: 'A token of at most ten minutes for named live topics',
    body: LiveLeaseRequest,
    replies: { 200: LiveToken },
    withoutSecret: ({ token: _, ...reply }) => reply as LiveToken,
    handle: ({ db, actor, body, around }) => makeLiveToken(db, actor, body.topics, around),
  }),
];
