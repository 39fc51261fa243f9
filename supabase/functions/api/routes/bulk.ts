import {
  BulkAssignReply,
  BulkAssignRequest,
  DeviceImportReply,
  DeviceImportRequest,
  MAX_IMPORT_BYTES,
} from '@edgeconductor/sdk/contract';
import { route, STAFF } from '../http/route.ts';
import { assignDevices, importDevices } from '../services/bulk.ts';
import { IdParams } from './params.ts';

const who = { roles: STAFF, api_key: ['write'] } as const;

export const bulkRoutes = [
  route({
    method: 'post',
    path: '/orgs/{id}/devices/assign',
    who,
    tag: 'Devices',
    summary: 'Assign up to 500 devices to a room or organisation, each with its own result',
    params: IdParams,
    body: BulkAssignRequest,
    replies: { 200: BulkAssignReply },
    handle: ({ db, params, body }) => assignDevices(db, params.id, body),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/devices/import',
    who,
    tag: 'Devices',
    summary: 'What the lines of a spreadsheet would do (dry_run), or do; bad lines lose only themselves',
    params: IdParams,
    body: DeviceImportRequest,
    // As JSON every quote and line break of the file takes two bytes.
    maxBytes: 2 * MAX_IMPORT_BYTES + 1024,
    replies: { 200: DeviceImportReply },
    handle: ({ db, params, body }) => importDevices(db, params.id, body.csv, body.dry_run),
  }),
];
