import {
  Member,
  MemberPatch,
  MemberQuery,
  SignInAttempt,
  UserAccount,
  UserQuery,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { sha256Hex } from '../../_shared/secrets.ts';
import { ADDRESS_LIMITS } from '../http/limits.ts';
import { pageReply } from '../http/page-reply.ts';
import { route, STAFF } from '../http/route.ts';
import { confirmSignIn } from '../services/sign-in.ts';
import * as members from '../services/members.ts';
import { listUsers } from '../services/users.ts';
import { IdParams } from './params.ts';

const tag = 'People';

export const memberRoutes = [
  route({
    method: 'get',
    path: '/orgs/{id}/members',
    who: { roles: STAFF, api_key: ['read'] },
    tag,
    summary: 'People with access to an organisation, staff first',
    params: IdParams,
    query: MemberQuery,
    replies: { 200: z.array(Member) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await members.listMembers(db, params.id, query), request.url),
  }),
  route({
    method: 'patch',
    path: '/members/{id}',
    who: { roles: STAFF },
    tag,
    summary: 'Change the role of a member; counts from their next request',
    params: IdParams,
    body: MemberPatch,
    replies: { 200: Member },
    handle: ({ db, params, body }) => members.changeMember(db, params.id, body),
  }),
  route({
    method: 'delete',
    path: '/members/{id}',
    who: { anyone: true },
    tag,
    summary: 'End a membership at once: your own, or one you may hand out',
    params: IdParams,
    replies: { 204: null },
    handle: ({ db, params }) => members.endMembership(db, params.id),
  }),
  route({
    method: 'get',
    path: '/users',
    who: { roles: ['admin'] },
    tag,
    summary: 'Everybody who ever signed in, newest first',
    query: UserQuery,
    replies: { 200: z.array(UserAccount) },
    handle: async ({ db, query, request }) => pageReply(await listUsers(db, query), request.url),
  }),
  route({
    method: 'post',
    path: '/sign-in/attempts',
    who: { anonymous: true },
    tag,
    summary: 'Count a sign-in before it is tried; refused when there were too many',
    body: SignInAttempt,
    replies: { 204: null },
    limits: {
      address: ADDRESS_LIMITS.sign_in,
      account: async ({ body }) => (await sha256Hex(body.email)).slice(0, 32),
    },
    handle: async () => {},
  }),
  route({
    method: 'post',
    path: '/sign-in/successes',
    who: { anyone: true },
    tag,
    summary: 'A counted sign-in was right: its turn comes back, once a session',
    body: SignInAttempt,
    replies: { 204: null },
    limits: {
      address: ADDRESS_LIMITS.sign_in,
      account: async ({ body }) => (await sha256Hex(body.email)).slice(0, 32),
      givesBack: true,
    },
    handle: ({ actor, body, around }) => confirmSignIn(around.limiter, actor, body.email),
  }),
];
