import { stream } from '#lib/api/load.ts';
import { readAuditFilter, toAuditQuery } from '#lib/audit/audit-filter.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 50;

export const load: PageServerLoad = async (event) => {
  const [api, orgId, { timeZone }] = await Promise.all([
    event.locals.api(),
    currentOrgId(event),
    event.parent(),
  ]);
  const filter = readAuditFilter(event.url.searchParams);
  const after = event.url.searchParams.get('after');
  const query = { ...toAuditQuery(filter, timeZone), limit: PAGE_SIZE, ...(after && { after }) };
  const [entries, locations] = await Promise.all([
    stream(event.isDataRequest, api.audit.list(orgId, query).page()),
    stream(event.isDataRequest, api.locations.list(orgId)),
  ]);
  return { filter, entries: entries.value, locations: locations.value };
};
