import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  event.depends('ec:api-keys');
  const [api, orgId, { rights }] = await Promise.all([
    event.locals.api(),
    currentOrgId(event),
    event.parent(),
  ]);
  const keys = rights.configure ? api.apiKeys.list(orgId) : Promise.resolve([]);
  return { keys: (await stream(event.isDataRequest, keys)).value };
};
