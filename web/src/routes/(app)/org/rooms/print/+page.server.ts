import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

const UUID = /^[0-9a-f-]{36}$/;

export const load: PageServerLoad = async (event) => {
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const wanted = (event.url.searchParams.get('ids') ?? '').split(',').filter((id) => UUID.test(id));
  return {
    orgId,
    wanted,
    locations: (await stream(event.isDataRequest, api.locations.list(orgId))).value,
  };
};
