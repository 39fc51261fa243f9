import {
  FlagParam,
  RoomClaimed,
  RoomClaimPreview,
  RoomClaimRequest,
  RoomCode,
  RoomCodeRotate,
  RoomCodesRequest,
  RoomSheet,
  RoomTenant,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { ADDRESS_LIMITS } from '../http/limits.ts';
import { Reply, route, STAFF } from '../http/route.ts';
import * as rooms from '../services/room-claims.ts';
import { IdParams } from './params.ts';

const tag = 'Rooms';
/** Handing out access is for people. */
const who = { roles: STAFF } as const;
const limits = {
  address: ADDRESS_LIMITS.claim,
  secret: ({ body }: { body: { room_id: string } }) => `room:${body.room_id}`,
  onlyMisses: true,
} as const;

export const roomRoutes = [
  route({
    method: 'post',
    path: '/room-claims/preview',
    who: { anonymous: true },
    tag,
    summary: 'The room of a scanned code, and whose it is',
    body: RoomClaimRequest,
    replies: { 200: RoomClaimPreview },
    limits,
    handle: ({ db, body }) => rooms.previewRoom(db, body),
  }),
  route({
    method: 'post',
    path: '/room-claims',
    who: { anyone: true },
    tag,
    summary: 'Become a tenant of the room of a scanned code',
    body: RoomClaimRequest,
    replies: { 201: RoomClaimed, 200: RoomClaimed },
    limits,
    handle: async ({ db, body }) => {
      const { repeated, claimed } = await rooms.claimRoom(db, body);
      return new Reply(repeated ? 200 : 201, claimed);
    },
  }),
  route({
    method: 'get',
    path: '/rooms/{id}/tenants',
    who: { roles: STAFF, api_key: ['read'] },
    tag,
    summary: 'Who lives in a room now',
    params: IdParams,
    replies: { 200: z.array(RoomTenant) },
    handle: ({ db, params }) => rooms.listRoomTenants(db, params.id),
  }),
  route({
    method: 'get',
    path: '/rooms/{id}/code',
    who,
    tag,
    summary: 'The code of a room; null when there is none',
    params: IdParams,
    replies: { 200: RoomCode },
    handle: ({ db, params, around }) => rooms.readRoomCode(db, around.env, params.id),
  }),
  route({
    method: 'post',
    path: '/rooms/{id}/code',
    who,
    tag,
    summary: 'A new code for a room; the one before ends at once',
    params: IdParams,
    body: RoomCodeRotate,
    replies: { 201: RoomCode },
    withoutSecret: rooms.withoutRoomCode,
    handle: ({ db, params, body, around }) => rooms.rotateRoomCode(db, around.env, params.id, body),
  }),
  route({
    method: 'delete',
    path: '/rooms/{id}/code',
    who,
    tag,
    summary: 'End the code of a room; with end_tenants=true everybody is moved out as well',
    params: IdParams,
    query: z.object({ end_tenants: FlagParam.optional() }),
    replies: { 204: null },
    handle: ({ db, params, query }) => rooms.revokeRoomCode(db, params.id, query.end_tenants ?? false),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/room-codes',
    who,
    tag,
    summary: 'Codes of up to 200 rooms for printing; rooms without one get one',
    params: IdParams,
    body: RoomCodesRequest,
    replies: { 200: z.array(RoomSheet) },
    withoutSecret: (sheets) => sheets.map(rooms.withoutRoomCode),
    handle: ({ db, params, body, around }) => rooms.listRoomSheets(db, around.env, params.id, body.room_ids),
  }),
];
