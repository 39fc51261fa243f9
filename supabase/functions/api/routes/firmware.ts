import {
  Firmware,
  FirmwareCreate,
  FirmwareListQuery,
  FirmwarePatch,
  FirmwareUpload,
  SigningKey,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { ADDRESS_LIMITS } from '../http/limits.ts';
import { pageReply } from '../http/page-reply.ts';
import { Reply, route, STAFF } from '../http/route.ts';
import * as firmware from '../services/firmware.ts';
import { fileOf, followLink } from '../services/firmware-links.ts';
import { beginUpload, finishUpload } from '../services/firmware-upload.ts';
import { listSigningKeys } from '../services/signing-keys.ts';
import { IdParams } from './params.ts';

const readers = { roles: STAFF, api_key: ['read'] } as const;
const updaters = { roles: STAFF, api_key: ['ota'] } as const;
const tag = 'Firmware';

const elsewhere = (url: string): Reply<never> => new Reply(302, undefined as never, { Location: url });

export const firmwareRoutes = [
  route({
    method: 'get',
    path: '/firmware',
    who: readers,
    tag,
    summary:
      'Firmware, newest first. With org_id what that organisation uploaded, and what is ready for its devices',
    query: FirmwareListQuery,
    replies: { 200: z.array(Firmware) },
    handle: async ({ db, query, request }) => pageReply(await firmware.listFirmware(db, query), request.url),
  }),
  route({
    method: 'post',
    path: '/firmware',
    who: updaters,
    tag,
    summary:
      'Begin an upload; the answer says where to PUT the file. Without raw the version is in the image',
    body: FirmwareCreate,
    replies: { 201: FirmwareUpload },
    handle: ({ db, body, actor, around }) => beginUpload(db, around.firmware, actor, body),
  }),
  route({
    method: 'get',
    path: '/firmware/files/{token}',
    who: { anonymous: true, unread: true },
    tag: 'Device routes',
    summary:
      'The link in a message to a device: redirects to the file, which serves ranges; 410 after its hour',
    params: z.object({ token: z.string().max(128) }),
    replies: { 302: null },
    limits: { address: ADDRESS_LIMITS.firmware, leased: true },
    handle: async ({ db, params, around }) => elsewhere(await followLink(db, around.firmware, params.token)),
  }),
  route({
    method: 'get',
    path: '/firmware/{id}',
    who: readers,
    tag,
    summary: 'One firmware',
    params: IdParams,
    replies: { 200: Firmware },
    handle: ({ db, params }) => firmware.getFirmware(db, params.id),
  }),
  route({
    method: 'patch',
    path: '/firmware/{id}',
    who: updaters,
    tag,
    summary: 'Change its notes',
    params: IdParams,
    body: FirmwarePatch,
    replies: { 200: Firmware },
    handle: ({ db, params, body }) => firmware.changeNotes(db, params.id, body.notes),
  }),
  route({
    method: 'delete',
    path: '/firmware/{id}',
    who: updaters,
    tag,
    summary: 'Retire it: no job can take it any more. 409 while an open one does',
    params: IdParams,
    replies: { 204: null },
    handle: ({ db, params }) => firmware.retireFirmware(db, params.id),
  }),
  route({
    method: 'post',
    path: '/firmware/{id}/finish',
    who: updaters,
    tag,
    summary: 'Have the uploaded file checked and signed. 422 with a reason for what is no firmware',
    params: IdParams,
    replies: { 200: Firmware },
    handle: ({ db, params, around }) => finishUpload(db, around.firmware, params.id),
  }),
  route({
    method: 'get',
    path: '/firmware/{id}/file',
    who: updaters,
    tag,
    summary: 'Redirects to the file for ten minutes',
    params: IdParams,
    replies: { 302: null },
    handle: async ({ db, params, around }) => elsewhere(await fileOf(db, around.firmware, params.id)),
  }),
  route({
    method: 'get',
    path: '/orgs/{id}/signing-keys',
    who: readers,
    tag,
    summary: 'What its devices check firmware with: a public key for each product type it makes',
    params: IdParams,
    replies: { 200: z.array(SigningKey) },
    handle: ({ db, params }) => listSigningKeys(db, params.id),
  }),
];
