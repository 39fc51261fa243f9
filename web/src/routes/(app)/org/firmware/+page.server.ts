import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

/** As many images as anybody looks through; older ones are in the list of their product type. */
const MOST = 200;

export const load: PageServerLoad = async (event) => {
  event.depends('ec:firmware');
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const productType = event.url.searchParams.get('type') ?? undefined;
  const [firmware, keys, overview] = await Promise.all([
    stream(event.isDataRequest, api.firmware.list({ orgId, productType, limit: MOST }).page()),
    stream(event.isDataRequest, api.orgs.signingKeys(orgId)),
    stream(event.isDataRequest, api.orgs.overview(orgId)),
  ]);
  return {
    orgId,
    productType,
    all: event.url.searchParams.has('all'),
    firmware: firmware.value,
    keys: keys.value,
    overview: overview.value,
  };
};
