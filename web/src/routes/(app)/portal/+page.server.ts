import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, isDataRequest }) => {
  const api = await locals.api();
  const devices = await stream(isDataRequest, api.devices.list({ limit: 50 }));
  return { devices: devices.value };
};
