/** Telling devices what to do: their desired document, and commands that act once. */
import {
  Command,
  CommandAck,
  CommandAcknowledged,
  CommandCreate,
  CommandListQuery,
  DEFAULT_COMMAND_S,
  DeviceCommands,
  DeviceShadow,
  Id,
  Serial,
  ShadowChange,
  ShadowDocument,
  ShadowHistoryQuery,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { pageReply } from '../http/page-reply.ts';
import { Reply, route, STAFF, STAFF_AND_CUSTOMER } from '../http/route.ts';
import * as commands from '../services/commands.ts';
import { readCommands } from '../services/device-inbox.ts';
import { changeDesired, listChanges } from '../services/shadow.ts';
import { SerialParams } from './params.ts';

const CommandParams = z.object({ serial: Serial, id: Id });
const tag = 'Control';

export const controlRoutes = [
  route({
    method: 'patch',
    path: '/devices/{serial}/shadow/desired',
    who: { roles: STAFF_AND_CUSTOMER, api_key: ['write'] },
    tag,
    summary:
      'Change desired: a flat patch, null removes a key. If-Match: <desired_version> refuses a stale one with 409, ' +
      'X-Client-Token (≤ 64 bytes) comes back. Customers: the keys their product type marks controllable',
    params: SerialParams,
    body: ShadowDocument,
    rawBody: true,
    replies: { 200: DeviceShadow },
    handle: ({ db, params, body, request }) =>
      changeDesired(db, {
        serial: params.serial,
        body: body as unknown as Uint8Array,
        ifMatch: request.header('if-match'),
        clientToken: request.header('x-client-token'),
      }),
  }),
  route({
    method: 'get',
    path: '/devices/{serial}/shadow/history',
    who: { roles: STAFF, api_key: ['read'] },
    tag,
    summary: 'Who changed which desired keys, newest first',
    params: SerialParams,
    query: ShadowHistoryQuery,
    replies: { 200: z.array(ShadowChange) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await listChanges(db, params.serial, query), request.url),
  }),
  route({
    method: 'get',
    path: '/devices/{serial}/commands',
    who: { roles: STAFF, api_key: ['read'], device: true },
    tag,
    summary:
      'People and keys: commands, newest first. The device itself: those that wait, and the full desired document; ' +
      '205 without a body asks it to restart',
    params: SerialParams,
    query: CommandListQuery,
    replies: { 200: z.union([DeviceCommands, z.array(Command)]), 205: null },
    handle: async ({ db, actor, params, query, request }) => {
      if (actor.kind !== 'device')
        return pageReply(await commands.listCommands(db, params.serial, query), request.url);
      const answer = await readCommands(db, params.serial);
      return answer ?? new Reply(205, undefined as never);
    },
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/commands',
    who: { roles: STAFF, api_key: ['write'] },
    tag,
    summary: 'Send a command that acts once, or never after expires_s',
    params: SerialParams,
    body: CommandCreate,
    replies: { 201: Command },
    handle: ({ db, params, body }) => commands.sendCommand(db, params.serial, body),
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/reboot',
    who: { roles: STAFF, api_key: ['write'] },
    tag,
    summary: 'Restart the device, now or when it is back within the hour',
    params: SerialParams,
    replies: { 201: Command },
    handle: ({ db, params }) =>
      commands.sendCommand(db, params.serial, { type: 'reboot', expires_s: DEFAULT_COMMAND_S }),
  }),
  route({
    method: 'get',
    path: '/devices/{serial}/commands/{id}',
    who: { roles: STAFF, api_key: ['read'] },
    tag,
    summary: 'What became of a command, and the reply of the device',
    params: CommandParams,
    replies: { 200: Command },
    handle: ({ db, params }) => commands.getCommand(db, params.serial, params.id),
  }),
  route({
    method: 'delete',
    path: '/devices/{serial}/commands/{id}',
    who: { roles: STAFF, api_key: ['write'] },
    tag,
    summary: 'Take back a command that nobody sent yet',
    params: CommandParams,
    replies: { 204: null },
    handle: ({ db, params }) => commands.cancelCommand(db, params.serial, params.id),
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/commands/{id}/ack',
    who: { device: true },
    tag: 'Device routes',
    summary: 'Say what came of a command',
    params: CommandParams,
    body: CommandAck,
    replies: { 200: CommandAcknowledged },
    handle: ({ db, params, body }) => commands.acknowledgeCommand(db, params.serial, params.id, body),
  }),
];
