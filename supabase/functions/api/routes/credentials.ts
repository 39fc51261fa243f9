import { DeviceCredential, Id, RotateReply, RotateRequest, Serial } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { Reply, route, STAFF } from '../http/route.ts';
import * as credentials from '../services/credentials.ts';
import { SerialParams } from './params.ts';

export const credentialRoutes = [
  route({
    method: 'get',
    path: '/devices/{serial}/credentials',
    who: { roles: STAFF, api_key: ['read'] },
    tag: 'Credentials',
    summary: 'Secrets of a device (never the secrets themselves), newest first',
    params: SerialParams,
    replies: { 200: z.array(DeviceCredential) },
    handle: ({ db, params }) => credentials.listCredentials(db, params.serial),
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/credentials/rotate',
    who: { roles: STAFF, api_key: ['read', 'provision'] },
    tag: 'Credentials',
    summary: 'A new secret; the old one works on for overlap_s seconds',
    params: SerialParams,
    body: RotateRequest,
    replies: { 201: RotateReply },
    withoutSecret: credentials.withoutRotatedSecret,
    handle: async ({ db, params, body, around }) =>
      new Reply(201, await credentials.rotateCredential(db, around.env, params.serial, body.overlap_s)),
  }),
  route({
    method: 'delete',
    path: '/devices/{serial}/credentials/{id}',
    who: { roles: STAFF, api_key: ['read', 'provision'] },
    tag: 'Credentials',
    summary: 'Revoke a secret at once; its live session ends',
    params: z.object({ serial: Serial, id: Id }),
    replies: { 204: null },
    handle: ({ db, params }) => credentials.revokeCredential(db, params.serial, params.id),
  }),
];
