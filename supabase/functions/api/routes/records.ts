/** What an organisation looks back on: refused packets and the audit trail. */
import { AuditEntry, AuditQuery, DeadLetter, DeadLetterQuery } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { csvReply } from '../http/csv-reply.ts';
import { pageReply } from '../http/page-reply.ts';
import { route, STAFF } from '../http/route.ts';
import { listAudit } from '../services/audit.ts';
import { auditToCsv, MAX_CSV_LINES } from '../services/csv.ts';
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
    handle: async ({ db, params, query, request }) => {
      if (query.format === 'json') return pageReply(await listAudit(db, params.id, query), request.url);
      const { items } = await listAudit(db, params.id, { ...query, limit: MAX_CSV_LINES });
      return csvReply(auditToCsv(items), 'audit');
    },
  }),
];
