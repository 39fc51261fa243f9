import {
  BulkRegisterReply,
  BulkRegisterRequest,
  Id,
  RegisterReply,
  RegisterRequest,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { ADDRESS_LIMITS } from '../http/limits.ts';
import { Reply, route } from '../http/route.ts';
import type { Who } from '../http/route.ts';
import { registerDevice, registerDevices, withoutDeviceSecrets } from '../services/registration.ts';

const who: Who = { roles: ['admin', 'partner', 'org_admin'], api_key: ['provision'], provisioning_key: true };

const limits = { address: ADDRESS_LIMITS.register } as const;

/** Needed by people who may register for several organisations. */
const OrgQuery = z.object({ org_id: Id.optional() });

export const registerRoutes = [
  route({
    method: 'post',
    path: '/devices/register',
    who,
    tag: 'Devices',
    summary: 'Register a device; safe to repeat. The secret is in the answer until the device first used it',
    query: OrgQuery,
    body: RegisterRequest,
    replies: { 201: RegisterReply, 200: RegisterReply },
    limits,
    withoutSecret: withoutDeviceSecrets,
    handle: async ({ db, query, body, around }) => {
      const { created, reply } = await registerDevice(db, around.env, body, query.org_id ?? null);
      return new Reply(created ? 201 : 200, reply);
    },
  }),
  route({
    method: 'post',
    path: '/devices/bulk',
    who,
    tag: 'Devices',
    summary: 'Register up to 500 devices, each with its own result',
    query: OrgQuery,
    body: BulkRegisterRequest,
    replies: { 200: BulkRegisterReply },
    limits,
    withoutSecret: (reply) => ({
      ...reply,
      results: reply.results.map(({ device, ...item }) =>
        device === undefined ? item : { ...item, device: withoutDeviceSecrets(device) },
      ),
    }),
    handle: ({ db, query, body, around }) =>
      registerDevices(db, around.env, body.devices, query.org_id ?? null),
  }),
];
