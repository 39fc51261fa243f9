import {
  ApiKey,
  ApiKeyCreate,
  ApiKeyCreated,
  ProvisioningKey,
  ProvisioningKeyCreate,
  ProvisioningKeyCreated,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { route, STAFF } from '../http/route.ts';
import * as keys from '../services/keys.ts';
import { IdParams } from './params.ts';

const who = { roles: STAFF } as const;
const tag = 'Keys';

export const keyRoutes = [
  route({
    method: 'get',
    path: '/orgs/{id}/api-keys',
    who,
    tag,
    summary: 'API keys of an organisation, newest first',
    params: IdParams,
    replies: { 200: z.array(ApiKey) },
    handle: ({ db, params }) => keys.listApiKeys(db, params.id),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/api-keys',
    who,
    tag,
    summary: 'Create an API key; this answer alone shows it',
    params: IdParams,
    body: ApiKeyCreate,
    replies: { 201: ApiKeyCreated },
    withoutSecret: keys.withoutKey,
    handle: ({ db, params, body }) => keys.createApiKey(db, params.id, body),
  }),
  route({
    method: 'delete',
    path: '/api-keys/{id}',
    who,
    tag,
    summary: 'Revoke an API key at once',
    params: IdParams,
    replies: { 204: null },
    handle: ({ db, params }) => keys.revokeApiKey(db, params.id),
  }),
  route({
    method: 'get',
    path: '/orgs/{id}/provisioning-keys',
    who,
    tag,
    summary: 'Provisioning keys of an organisation, newest first',
    params: IdParams,
    replies: { 200: z.array(ProvisioningKey) },
    handle: ({ db, params }) => keys.listProvisioningKeys(db, params.id),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/provisioning-keys',
    who,
    tag,
    summary: 'Create a provisioning key; this answer alone shows it',
    params: IdParams,
    body: ProvisioningKeyCreate,
    replies: { 201: ProvisioningKeyCreated },
    withoutSecret: keys.withoutKey,
    handle: ({ db, params, body }) => keys.createProvisioningKey(db, params.id, body),
  }),
  route({
    method: 'delete',
    path: '/provisioning-keys/{id}',
    who,
    tag,
    summary: 'Revoke a provisioning key; devices it registered keep theirs',
    params: IdParams,
    replies: { 204: null },
    handle: ({ db, params }) => keys.revokeProvisioningKey(db, params.id),
  }),
];
