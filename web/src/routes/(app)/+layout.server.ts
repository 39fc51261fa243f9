import type { EdgeConductor, Me, Org } from '@edgeconductor/sdk';
import { error } from '@sveltejs/kit';
import { rightsIn } from '#lib/auth/rights.ts';
import { standingsOf } from '#lib/auth/standings.ts';
import { settle } from '#lib/problem.ts';
import { opensAnyOrg, orgsOf } from '#lib/server/current-org.ts';
import type { LayoutServerLoad } from './$types';

const UUID = /^[0-9a-f-]{36}$/;

export interface OrgChoice {
  id: string;
  name: string;
  partner_id?: string | null;
}

export const load: LayoutServerLoad = async ({ locals, cookies, depends }) => {
  depends('ec:account');
  if (locals.denied) error(locals.denied.status, locals.denied.title, { problem: locals.denied });
  const [me, api] = await Promise.all([locals.me(), locals.api()]);
  const wanted = cookies.get('ec-org');
  const [orgs, productTypes] = await Promise.all([orgChoices(me, api, wanted), api.productTypes.list()]);
  const org = orgs.find((candidate) => candidate.id === wanted) ?? orgs[0] ?? null;
  return {
    person: {
      email: me.email,
      name: me.full_name,
      role: me.role,
      roles: [...new Set(me.memberships.map((membership) => membership.role))],
      home: me.home ?? '/welcome',
    },
    standings: standingsOf(me.memberships),
    orgs,
    org,
    rights: rightsIn(me.memberships, org),
    productTypes,
    narrowRail: cookies.get('ec-rail') === 'narrow',
  };
};

async function orgChoices(me: Me, api: EdgeConductor, wanted: string | undefined): Promise<OrgChoice[]> {
  if (!opensAnyOrg(me)) return orgsOf(me);
  const orgs = (await api.orgs.list()).map(toChoice);
  if (!wanted || !UUID.test(wanted) || orgs.some(({ id }) => id === wanted)) return orgs;
  // The one that is open may lie beyond the first page of them.
  const { data } = await settle(api.orgs.get(wanted));
  return data ? [toChoice(data), ...orgs] : orgs;
}

function toChoice({ id, name, partner_id }: Org): OrgChoice {
  return { id, name, partner_id };
}
