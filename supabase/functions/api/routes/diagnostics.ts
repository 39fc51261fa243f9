/** How a device is: numbers, words and the thresholds they were reached by. */
import { DeviceDiagnostics, DiagnosticsQuery } from '@edgeconductor/sdk/contract';
import { route, STAFF_AND_CUSTOMER } from '../http/route.ts';
import { readDiagnostics } from '../services/diagnostics.ts';
import { SerialParams } from './params.ts';

export const diagnosticsRoutes = [
  route({
    method: 'get',
    path: '/devices/{serial}/diagnostics',
    who: { roles: STAFF_AND_CUSTOMER, api_key: ['read'] },
    tag: 'Devices',
    summary: 'Battery, signal, memory, restarts, GPS, lost packets and clock, each with a verdict in words',
    params: SerialParams,
    query: DiagnosticsQuery,
    replies: { 200: DeviceDiagnostics },
    handle: ({ db, params, query }) => readDiagnostics(db, params.serial, query),
  }),
];
