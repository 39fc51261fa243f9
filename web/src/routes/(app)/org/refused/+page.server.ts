import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 30;

export const load: PageServerLoad = async (event) => {
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const after = event.url.searchParams.get('after');
  const letters = api.deadLetters.list(orgId, { limit: PAGE_SIZE, ...(after && { after }) });
  return { letters: (await stream(event.isDataRequest, letters.page())).value };
};
