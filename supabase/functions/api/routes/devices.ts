import {
  Device,
  DeviceListQuery,
  DeviceLocationPatch,
  DevicePatch,
  FlagParam,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { csvReply } from '../http/csv-reply.ts';
import { pageReply } from '../http/page-reply.ts';
import { route, STAFF, STAFF_AND_CUSTOMER } from '../http/route.ts';
import { devicesToCsv, MAX_CSV_LINES } from '../services/csv.ts';
import * as devices from '../services/devices.ts';
import { SerialParams } from './params.ts';

export const deviceRoutes = [
  route({
    method: 'get',
    path: '/devices',
    who: { roles: STAFF_AND_CUSTOMER, api_key: ['read'] },
    tag: 'Devices',
    summary:
      'List devices; retired ones only with lifecycle=retired; with format=csv as an import takes them',
    query: DeviceListQuery,
    replies: { 200: z.array(Device) },
    handle: async ({ db, query, request }) => {
      if (query.format === 'json') return pageReply(await devices.listDevices(db, query), request.url);
      const { items } = await devices.listDevices(db, { ...query, limit: MAX_CSV_LINES });
      return csvReply(devicesToCsv(items), 'devices');
    },
  }),
  route({
    method: 'get',
    path: '/devices/{serial}',
    who: { roles: STAFF_AND_CUSTOMER, api_key: ['read'] },
    tag: 'Devices',
    summary: 'One device with its shadow',
    params: SerialParams,
    replies: { 200: Device },
    handle: ({ db, params }) => devices.getDevice(db, params.serial),
  }),
  route({
    method: 'patch',
    path: '/devices/{serial}',
    who: { roles: STAFF, api_key: ['write'] },
    tag: 'Devices',
    summary: 'Change name, tags, attributes, online window, or assign it',
    params: SerialParams,
    body: DevicePatch,
    replies: { 200: Device },
    handle: ({ db, params, body }) => devices.patchDevice(db, params.serial, body),
  }),
  route({
    method: 'patch',
    path: '/devices/{serial}/location',
    who: { roles: STAFF, api_key: ['write'] },
    tag: 'Devices',
    summary: 'Assign a device to a location; null takes it out',
    params: SerialParams,
    body: DeviceLocationPatch,
    replies: { 200: Device },
    handle: ({ db, params, body }) => devices.patchDevice(db, params.serial, body),
  }),
  route({
    method: 'delete',
    path: '/devices/{serial}',
    who: { roles: STAFF, api_key: ['provision'] },
    tag: 'Devices',
    summary: 'Retire a device; its history stays. An active one needs force=true',
    params: SerialParams,
    query: z.object({ force: FlagParam.optional() }),
    replies: { 204: null },
    handle: ({ db, params, query }) => devices.removeDevice(db, params.serial, query.force ?? false),
  }),
];
