import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const overview = api.orgs.overview(orgId);
  const devices = api.devices.list({ orgId, limit: 12 });
  const [streamedOverview, streamedDevices] = await Promise.all([
    stream(event.isDataRequest, overview),
    stream(event.isDataRequest, devices),
  ]);
  return {
    orgId,
    overview: streamedOverview.value,
    devices: streamedDevices.value,
    origin: event.url.origin,
  };
};
