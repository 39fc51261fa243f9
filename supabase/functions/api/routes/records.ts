/** What an organisation looks back on: refused packets and the audit trail. */
import { AuditEntry, AuditQuery, DeadLetter, DeadLetterQuery } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { pageReply } from '../http/page-reply.ts';
import { route, STAFF } from '../http/route.ts';
import { listAudit } from '../services/audit.ts';
import { listDeviceDeadLetters, listOrgDeadLetters } from '../services/dead-letters.ts';
import { IdParams, SerialParams } from './params.ts';

const who = { roles: STAFF, api_key: ['read'] } as const;

export const recordRoutes = [
  route({
    method: 'get',
    path: '/orgs/{id}/dead-letters',
    who,
    tag: 'Records',
    summary: 'Refused packets of an organisation, newest first',
    params: IdParams,
    query: DeadLetterQuery,
    replies: { 200: z.array(DeadLetter) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await listOrgDeadLetters(db, params.id, query), request.url),
  }),
  route({
    method: 'get',
    path: '/devices/{serial}/dead-letters',
    who,
    tag: 'Records',
    summary: 'Refused packets of a device, newest first',
    params: SerialParams,
    query: DeadLetterQuery,
    replies: { 200: z.array(DeadLetter) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await listDeviceDeadLetters(db, params.serial, query), request.url),
  }),
  route({
    method: 'get',
    path: '/orgs/{id}/audit',
    who,
    tag: 'Records',
    summary: 'Who did what, newest first',
    params: IdParams,
    query: AuditQuery,
    replies: { 200: z.array(AuditEntry) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await listAudit(db, params.id, query), request.url),
  }),
];
