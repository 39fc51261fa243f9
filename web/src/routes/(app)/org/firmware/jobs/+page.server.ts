import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import { readJobFilter } from './job-filter.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 30;

export const load: PageServerLoad = async (event) => {
  event.depends('ec:jobs');
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const filter = readJobFilter(event.url.searchParams);
  const after = event.url.searchParams.get('after') ?? undefined;
  const query = { state: filter.state, productType: filter.type, limit: PAGE_SIZE, after };
  const jobs = await stream(event.isDataRequest, api.otaJobs.list(orgId, query).page());
  return { orgId, filter, query, jobs: jobs.value };
};
