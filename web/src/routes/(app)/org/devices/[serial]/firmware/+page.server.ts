import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 30;

export const load: PageServerLoad = async ({ locals, params, url, isDataRequest, depends }) => {
  depends('ec:device-firmware');
  const api = await locals.api();
  const after = url.searchParams.get('after') ?? undefined;
  const updates = api.otaJobs.forDevice(params.serial, { limit: PAGE_SIZE, ...(after && { after }) });
  return { updates: (await stream(isDataRequest, updates.page())).value, after };
};
