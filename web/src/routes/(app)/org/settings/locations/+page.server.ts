import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  event.depends('ec:locations');
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const places = Promise.all([api.locations.list(orgId), api.orgs.get(orgId)]).then(([locations, org]) => ({
    locations,
    orgZone: org.timezone,
  }));
  return { places: (await stream(event.isDataRequest, places)).value };
};
