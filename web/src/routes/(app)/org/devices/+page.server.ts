import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import { readColumns } from './columns.ts';
import { readQuery } from './filters.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 50;

export const load: PageServerLoad = async (event) => {
  const { searchParams } = event.url;
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const query = { ...readQuery(searchParams), orgId, limit: PAGE_SIZE };
  const [devices, rooms] = await Promise.all([
    stream(event.isDataRequest, api.devices.list(query).page()),
    stream(event.isDataRequest, api.orgs.rooms(orgId)),
  ]);
  return {
    orgId,
    query,
    devices: devices.value,
    rooms: rooms.value,
    columns: readColumns(event.cookies.get('ec-columns')),
  };
};
