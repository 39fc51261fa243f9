import type { Me } from '@edgeconductor/sdk';
import { redirect, type RequestEvent } from '@sveltejs/kit';

const UUID = /^[0-9a-f-]{36}$/;
const READS_ORG = ['org_admin', 'operator', 'viewer'];

/** Orgs in which this person reads everything, from their memberships alone. */
export function orgsOf(me: Me): { id: string; name: string }[] {
  const byId = new Map<string, { id: string; name: string }>();
  for (const { org_id: id, org_name: name, role } of me.memberships) {
    if (id && READS_ORG.includes(role)) byId.set(id, { id, name: name ?? 'Unnamed organisation' });
  }
  return [...byId.values()];
}

/** Admins and partners open any org without being its member. */
export function opensAnyOrg(me: Me): boolean {
  return me.memberships.some(({ role }) => role === 'admin' || role === 'partner');
}

/**
 * The org whose pages are shown: the one chosen in the switcher, else the first. The API refuses an id that is
 * not theirs, so a forged cookie shows "not found" and nothing else.
 */
export async function currentOrgId({
  locals,
  cookies,
}: Pick<RequestEvent, 'locals' | 'cookies'>): Promise<string> {
  const wanted = cookies.get('ec-org');
  const me = await locals.me();
  if (opensAnyOrg(me)) {
    if (wanted && UUID.test(wanted)) return wanted;
    const [first] = await (await locals.api()).orgs.list({ limit: 1 });
    if (first) return first.id;
    redirect(303, me.home ?? '/welcome');
  }
  const own = orgsOf(me);
  const id = own.find((org) => org.id === wanted)?.id ?? own[0]?.id;
  return id ?? redirect(303, me.home ?? '/welcome');
}
