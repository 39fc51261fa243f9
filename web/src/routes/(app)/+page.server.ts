import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, isDataRequest }) => {
  const api = await locals.api();
  const [orgs, partners] = await Promise.all([
    stream(isDataRequest, api.orgs.list()),
    stream(isDataRequest, api.partners.list()),
  ]);
  return { orgList: orgs.value, partners: partners.value };
};
