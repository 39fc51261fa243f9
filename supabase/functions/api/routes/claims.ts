import {
  Claimed,
  ClaimCodeIssued,
  ClaimCodeStatus,
  ClaimPreview,
  ClaimPreviewRequest,
  ClaimRequest,
  Device,
  Tenure,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { ADDRESS_LIMITS } from '../http/limits.ts';
import { Reply, route, STAFF, STAFF_AND_CUSTOMER } from '../http/route.ts';
import * as claims from '../services/claims.ts';
import { SerialParams } from './params.ts';

const tag = 'Claims';
/** One code is tried ten times in a quarter of an hour, from wherever. */
const limits = {
  address: ADDRESS_LIMITS.claim,
  secret: ({ body }: { body: { serial: string } }) => `device:${body.serial}`,
  onlyMisses: true,
} as const;
const handOut = { roles: STAFF, api_key: ['read', 'provision'] } as const;

export const claimRoutes = [
  route({
    method: 'post',
    path: '/claims/preview',
    who: { anonymous: true },
    tag,
    summary: 'What a scanned code stands for; the code of another device or none is not found',
    body: ClaimPreviewRequest,
    replies: { 200: ClaimPreview },
    limits,
    handle: ({ db, body }) => claims.previewClaim(db, body.serial, body.code),
  }),
  route({
    method: 'post',
    path: '/claims',
    who: { anyone: true },
    tag,
    summary: 'Claim a device for an organisation of yours, or for your portal',
    body: ClaimRequest,
    replies: { 201: Claimed, 200: Claimed },
    limits,
    handle: async ({ db, body }) => {
      const { repeated, claimed } = await claims.claimDevice(db, body);
      return new Reply(repeated ? 200 : 201, claimed);
    },
  }),
  route({
    method: 'get',
    path: '/devices/{serial}/claim-code',
    who: { roles: STAFF, api_key: ['read'] },
    tag,
    summary: 'How the newest claim code of a device stands, without the code',
    params: SerialParams,
    replies: { 200: ClaimCodeStatus },
    handle: ({ db, params }) => claims.readClaimCode(db, params.serial),
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/claim-code',
    who: handOut,
    tag,
    summary: 'A new claim code, shown in this answer alone; the one before ends',
    params: SerialParams,
    replies: { 201: ClaimCodeIssued },
    withoutSecret: claims.withoutClaimCode,
    handle: ({ db, params, around }) => claims.reissueClaimCode(db, around.env, params.serial),
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/unclaim',
    who: { ...handOut, roles: STAFF_AND_CUSTOMER },
    tag,
    summary: 'Give a claimed device back; 204 when you no longer see it with that',
    params: SerialParams,
    replies: { 200: Device, 204: null },
    handle: async ({ db, params }) =>
      (await claims.unclaimDevice(db, params.serial)) ?? new Reply(204, undefined as never),
  }),
  route({
    method: 'get',
    path: '/devices/{serial}/tenures',
    who: { roles: STAFF, api_key: ['read'] },
    tag,
    summary: 'Who had the device when, as far as you may know it; newest first',
    params: SerialParams,
    replies: { 200: z.array(Tenure) },
    handle: ({ db, params }) => claims.listTenures(db, params.serial),
  }),
];
