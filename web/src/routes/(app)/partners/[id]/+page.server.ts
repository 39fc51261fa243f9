import { error } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

const UUID = /^[0-9a-f-]{36}$/;

export const load: PageServerLoad = async ({ locals, params, isDataRequest, depends }) => {
  depends('ec:partner');
  if (!UUID.test(params.id)) error(404, 'Not found');
  const api = await locals.api();
  const { value: partner } = await stream(isDataRequest, api.partners.get(params.id));
  if (!(partner instanceof Promise) && partner.problem?.status === 404)
    error(404, partner.problem.title, { problem: partner.problem });
  const [stats, orgs, invitations] = await Promise.all([
    stream(isDataRequest, api.partners.stats(params.id)),
    stream(isDataRequest, api.partners.orgs(params.id)),
    stream(isDataRequest, api.invitations.ofPartner(params.id)),
  ]);
  return {
    partnerId: params.id,
    partner,
    stats: stats.value,
    orgList: orgs.value,
    invitations: invitations.value,
  };
};
