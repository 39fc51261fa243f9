import { SavedFilter, SavedFilterCreate } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { route, STAFF } from '../http/route.ts';
import { deleteFilter, listFilters, saveFilter } from '../services/device-filters.ts';
import { IdParams } from './params.ts';

const writers = { roles: STAFF, api_key: ['write'] } as const;

export const deviceFilterRoutes = [
  route({
    method: 'get',
    path: '/orgs/{id}/device-filters',
    who: { roles: STAFF, api_key: ['read'] },
    tag: 'Devices',
    summary: 'Saved filters of the device list, by name',
    params: IdParams,
    replies: { 200: z.array(SavedFilter) },
    handle: ({ db, params }) => listFilters(db, params.id),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/device-filters',
    who: writers,
    tag: 'Devices',
    summary: 'Keep a filter under a name',
    params: IdParams,
    body: SavedFilterCreate,
    replies: { 201: SavedFilter },
    handle: ({ db, params, body }) => saveFilter(db, params.id, body),
  }),
  route({
    method: 'delete',
    path: '/device-filters/{id}',
    who: writers,
    tag: 'Devices',
    summary: 'Forget a saved filter; jobs that were made with it stay',
    params: IdParams,
    replies: { 204: null },
    handle: ({ db, params }) => deleteFilter(db, params.id),
  }),
];
