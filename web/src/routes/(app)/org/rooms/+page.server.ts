import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const overview = await stream(event.isDataRequest, api.orgs.overview(orgId));
  return { orgId, overview: overview.value };
};
