import type { EdgeConductor, Me } from '@edgeconductor/sdk';
import { error } from '@sveltejs/kit';
import { opensAnyOrg, orgsOf } from '#lib/server/current-org.ts';
import type { LayoutServerLoad } from './$types';

export interface OrgChoice {
  id: string;
  name: string;
}

export const load: LayoutServerLoad = async ({ locals, cookies, depends }) => {
  depends('ec:account');
  if (locals.denied) error(locals.denied.status, locals.denied.title, { problem: locals.denied });
  const [me, api] = await Promise.all([locals.me(), locals.api()]);
  const [orgs, productTypes] = await Promise.all([orgChoices(me, api), api.productTypes.list()]);
  const wanted = cookies.get('ec-org');
  return {
    person: {
      email: me.email,
      name: me.full_name,
      role: me.role,
      roles: [...new Set(me.memberships.map((membership) => membership.role))],
      home: me.home ?? '/welcome',
    },
    orgs,
    org: orgs.find((org) => org.id === wanted) ?? orgs[0] ?? null,
    productTypes,
    narrowRail: cookies.get('ec-rail') === 'narrow',
  };
};

async function orgChoices(me: Me, api: EdgeConductor): Promise<OrgChoice[]> {
  if (!opensAnyOrg(me)) return orgsOf(me);
  return (await api.orgs.list()).map(({ id, name }) => ({ id, name }));
}
