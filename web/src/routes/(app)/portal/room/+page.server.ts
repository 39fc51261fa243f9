import { redirect } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

const YEAR = 31_536_000;
const COOKIE = 'ec-room';

export const load: PageServerLoad = async ({ locals, isDataRequest, url, cookies }) => {
  const [api, me] = await Promise.all([locals.api(), locals.me()]);
  const homes = me.memberships.flatMap(({ role, location_id: id, location_name, org_name }) =>
    role === 'tenant' && id ? [{ id, name: location_name ?? 'My room', org: org_name }] : [],
  );
  const asked = url.searchParams.get('room');
  const home = homes.find(({ id }) => id === (asked ?? cookies.get(COOKIE))) ?? homes[0];
  if (!home) redirect(303, me.home ?? '/welcome');
  if (asked === home.id) {
    const secure = url.protocol === 'https:';
    cookies.set(COOKIE, home.id, { path: '/portal', maxAge: YEAR, sameSite: 'lax', httpOnly: true, secure });
  }
  const [room, climate] = await Promise.all([
    stream(isDataRequest, api.rooms.get(home.id)),
    stream(isDataRequest, api.rooms.climate(home.id, { hours: 24 })),
  ]);
  return { roomId: home.id, homes, room: room.value, climate: climate.value };
};
