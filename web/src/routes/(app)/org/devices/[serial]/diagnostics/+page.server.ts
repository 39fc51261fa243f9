import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, isDataRequest }) => {
  const api = await locals.api();
  return { diagnostics: (await stream(isDataRequest, api.devices.diagnostics(params.serial))).value };
};
