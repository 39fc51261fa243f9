import { error } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

const UUID = /^[0-9a-f-]{36}$/;
const SHOWN_DEVICES = 100;

export const load: PageServerLoad = async (event) => {
  const { locals, params, isDataRequest } = event;
  event.depends('ec:room');
  if (!UUID.test(params.id)) error(404, 'Not found');
  const api = await locals.api();
  const { value: room } = await stream(isDataRequest, api.rooms.get(params.id));
  if (!(room instanceof Promise) && room.problem?.status === 404)
    error(404, room.problem.title, { problem: room.problem });
  const { rights } = await event.parent();
  const [tenants, code, devices, climate] = await Promise.all([
    stream(isDataRequest, api.rooms.tenants(params.id)),
    stream(isDataRequest, rights.configure ? api.rooms.code(params.id) : Promise.resolve(null)),
    stream(isDataRequest, api.devices.list({ roomId: params.id, limit: SHOWN_DEVICES })),
    stream(isDataRequest, api.rooms.climate(params.id, { hours: 24 })),
  ]);
  return {
    roomId: params.id,
    room,
    tenants: tenants.value,
    code: code.value,
    devices: devices.value,
    climate: climate.value,
  };
};
