import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  event.depends('ec:danger');
  const [api, orgId, { rights }] = await Promise.all([
    event.locals.api(),
    currentOrgId(event),
    event.parent(),
  ]);
  const locations = rights.configure ? api.locations.list(orgId) : Promise.resolve([]);
  return { locations: (await stream(event.isDataRequest, locations)).value };
};
