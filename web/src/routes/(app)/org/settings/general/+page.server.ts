import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  event.depends('ec:org');
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  return { details: (await stream(event.isDataRequest, api.orgs.get(orgId))).value };
};
