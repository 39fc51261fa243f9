import { stream } from '#lib/api/load.ts';
import { currentOrgId } from '#lib/server/current-org.ts';
import { readMemberFilter } from './member-filter.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 50;

export const load: PageServerLoad = async (event) => {
  event.depends('ec:members');
  const [api, orgId] = await Promise.all([event.locals.api(), currentOrgId(event)]);
  const filter = readMemberFilter(event.url.searchParams);
  const after = event.url.searchParams.get('after');
  const { rights } = await event.parent();
  const [members, invitations, rooms] = await Promise.all([
    stream(
      event.isDataRequest,
      api.members.list(orgId, { ...filter, limit: PAGE_SIZE, ...(after && { after }) }).page(),
    ),
    stream(event.isDataRequest, rights.configure ? api.invitations.list(orgId) : Promise.resolve([])),
    stream(event.isDataRequest, rights.configure ? api.orgs.rooms(orgId) : Promise.resolve([])),
  ]);
  const { id } = await event.locals.me();
  return { me: id, filter, members: members.value, invitations: invitations.value, rooms: rooms.value };
};
