import { Location, LocationCreate, LocationPatch, Room, RoomCreate } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { route, STAFF } from '../http/route.ts';
import * as locations from '../services/locations.ts';
import { IdParams } from './params.ts';

const read = { roles: STAFF, api_key: ['read'] } as const;
const write = { roles: STAFF, api_key: ['write'] } as const;
const tag = 'Locations';

export const locationRoutes = [
  route({
    method: 'get',
    path: '/orgs/{id}/rooms',
    who: read,
    tag,
    summary: 'Rooms with their floor and building',
    params: IdParams,
    replies: { 200: z.array(Room) },
    handle: ({ db, params }) => locations.listRooms(db, params.id),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/rooms',
    who: write,
    tag,
    summary: 'Create a room; floor and building are found by name or created',
    params: IdParams,
    body: RoomCreate,
    replies: { 201: Room },
    handle: ({ db, params, body }) => locations.createRoom(db, params.id, body),
  }),
  route({
    method: 'get',
    path: '/orgs/{id}/locations',
    who: read,
    tag,
    summary: 'The whole tree, parents before children',
    params: IdParams,
    replies: { 200: z.array(Location) },
    handle: ({ db, params }) => locations.listLocations(db, params.id),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/locations',
    who: write,
    tag,
    summary: 'Create a site, building, floor or room',
    params: IdParams,
    body: LocationCreate,
    replies: { 201: Location },
    handle: ({ db, params, body }) => locations.createLocation(db, params.id, body),
  }),
  route({
    method: 'patch',
    path: '/locations/{id}',
    who: write,
    tag,
    summary: 'Rename or move a location',
    params: IdParams,
    body: LocationPatch,
    replies: { 200: Location },
    handle: ({ db, params, body }) => locations.patchLocation(db, params.id, body),
  }),
  route({
    method: 'delete',
    path: '/locations/{id}',
    who: write,
    tag,
    summary: 'Delete an empty location',
    params: IdParams,
    replies: { 204: null },
    handle: ({ db, params }) => locations.removeLocation(db, params.id),
  }),
];
