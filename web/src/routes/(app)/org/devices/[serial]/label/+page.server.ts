import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, isDataRequest, depends }) => {
  depends('ec:claim-code');
  const api = await locals.api();
  return { status: (await stream(isDataRequest, api.claims.status(params.serial))).value };
};
