import { error } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, isDataRequest }) => {
  const [api, me] = await Promise.all([locals.api(), locals.me()]);
  const home = me.memberships.find((membership) => membership.role === 'tenant' && membership.location_id);
  if (!home?.location_id) error(404, 'Not found');
  const roomId = home.location_id;
  const [room, climate] = await Promise.all([
    stream(isDataRequest, api.rooms.get(roomId)),
    stream(isDataRequest, api.rooms.climate(roomId, { hours: 24 })),
  ]);
  return { roomId, room: room.value, climate: climate.value };
};
