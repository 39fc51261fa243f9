import { Id, RoomClimate, TelemetryBuckets, TelemetryQuery, TelemetryRow } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { csvReply } from '../http/csv-reply.ts';
import { pageReply } from '../http/page-reply.ts';
import { EVERYBODY, Reply, route, STAFF_AND_CUSTOMER } from '../http/route.ts';
import { toCsv } from '../services/csv.ts';
import { readRoom, readRoomBuckets } from '../services/rooms.ts';
import { readBuckets, readRows } from '../services/telemetry.ts';
import { SerialParams } from './params.ts';

const RoomParams = z.object({ id: Id });

export const telemetryRoutes = [
  route({
    method: 'get',
    path: '/devices/{serial}/telemetry',
    who: { roles: STAFF_AND_CUSTOMER, api_key: ['read'] },
    tag: 'Telemetry',
    summary: 'Stored packets, oldest first; with buckets=auto chart series, with format=csv text/csv',
    params: SerialParams,
    query: TelemetryQuery,
    replies: { 200: z.union([z.array(TelemetryRow), TelemetryBuckets]) },
    handle: async ({ db, params, query, request }) => {
      if (query.buckets !== undefined) {
        const json = await readBuckets(db, params.serial, query);
        return new Reply(200, json as never, { 'Content-Type': 'application/json' });
      }
      const page = await readRows(db, params.serial, query);
      const reply = pageReply(page, request.url);
      if (query.format !== 'csv') return reply;
      return csvReply(toCsv(page.items, query.metrics), params.serial, reply.headers);
    },
  }),
  route({
    method: 'get',
    path: '/rooms/{id}',
    who: { roles: EVERYBODY, api_key: ['read'] },
    tag: 'Rooms',
    summary: 'A room and its climate now',
    params: RoomParams,
    replies: { 200: RoomClimate },
    handle: ({ db, params }) => readRoom(db, params.id),
  }),
  route({
    method: 'get',
    path: '/rooms/{id}/climate',
    who: { roles: EVERYBODY, api_key: ['read'] },
    tag: 'Rooms',
    summary: 'The climate of a room over time',
    params: RoomParams,
    query: z.object({ hours: TelemetryQuery.shape.hours }),
    replies: { 200: TelemetryBuckets },
    handle: ({ db, params, query }) => readRoomBuckets(db, params.id, query.hours),
  }),
];
