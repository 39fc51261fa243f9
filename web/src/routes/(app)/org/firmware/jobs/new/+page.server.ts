import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

/** As many images as anybody chooses from. */
const MOST = 200;

export const load: PageServerLoad = async (event) => {
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const [firmware, filters, rooms] = await Promise.all([
    stream(event.isDataRequest, api.firmware.list({ orgId, state: 'ready', limit: MOST }).toArray(MOST)),
    stream(event.isDataRequest, api.deviceFilters.list(orgId)),
    stream(event.isDataRequest, api.orgs.rooms(orgId)),
  ]);
  return { orgId, firmware: firmware.value, filters: filters.value, rooms: rooms.value };
};
