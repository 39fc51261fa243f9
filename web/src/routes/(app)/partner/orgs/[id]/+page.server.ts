import { error } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

const UUID = /^[0-9a-f-]{36}$/;

export const load: PageServerLoad = async ({ locals, params, isDataRequest, depends }) => {
  depends('ec:partner-org');
  if (!UUID.test(params.id)) error(404, 'Not found');
  const api = await locals.api();
  const { value: details } = await stream(isDataRequest, api.orgs.get(params.id));
  if (!(details instanceof Promise) && details.problem?.status === 404)
    error(404, details.problem.title, { problem: details.problem });
  const [overview, admins, invitations] = await Promise.all([
    stream(isDataRequest, api.orgs.overview(params.id)),
    stream(isDataRequest, api.members.list(params.id, { role: 'org_admin', limit: 100 })),
    stream(isDataRequest, api.invitations.list(params.id)),
  ]);
  return {
    orgId: params.id,
    details,
    overview: overview.value,
    admins: admins.value,
    invitations: invitations.value,
  };
};
