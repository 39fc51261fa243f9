import { error } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, isDataRequest, depends }) => {
  depends('ec:partner');
  const [api, me] = await Promise.all([locals.api(), locals.me()]);
  const partner = me.memberships.find((membership) => membership.role === 'partner' && membership.partner_id);
  if (!partner?.partner_id) error(404, 'Not found');
  const [stats, orgs] = await Promise.all([
    stream(isDataRequest, api.partners.stats(partner.partner_id)),
    stream(isDataRequest, api.partners.orgs(partner.partner_id)),
  ]);
  return {
    partnerId: partner.partner_id,
    partnerName: partner.partner_name ?? 'Partner',
    stats: stats.value,
    customers: orgs.value,
  };
};
