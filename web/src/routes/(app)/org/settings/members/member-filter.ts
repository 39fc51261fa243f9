import type { Role } from '#lib/auth/roles.ts';

/** The list's filter lives in the URL: a link is a saved view. */
export interface MemberFilter {
  role?: Role;
  q?: string;
}

/** Roles inside an org, widest first. */
export const ORG_ROLES = ['org_admin', 'operator', 'viewer', 'customer', 'tenant'] as const;
/** Those a person may be moved between; customers and tenants come by a device or a room. */
export const STAFF_ROLES = ['org_admin', 'operator', 'viewer'] as const;

type Params = Pick<URLSearchParams, 'get'>;

/** Values nobody offers (a hand-made link) count as no filter. */
export function readMemberFilter(params: Params): MemberFilter {
  const role = ORG_ROLES.find((known) => known === params.get('role'));
  const q = params.get('q')?.trim();
  return { ...(role && { role }), ...(q && { q }) };
}

/** Address with some of it changed; null removes. */
export function withMemberFilter(
  params: Params,
  change: { role?: string | null; q?: string | null },
): string {
  const next = new URLSearchParams();
  for (const key of ['role', 'q'] as const) {
    const value = key in change ? change[key] : params.get(key);
    if (value) next.set(key, value);
  }
  return `/org/settings/members${next.size > 0 ? `?${next}` : ''}`;
}

/** What a role may do, for whoever chooses one. */
export const ROLE_HELP: Record<(typeof ORG_ROLES)[number], string> = {
  org_admin: 'Everything in this organisation, settings and members included.',
  operator: 'Sees everything, controls devices. No settings.',
  viewer: 'Sees everything, changes nothing.',
  customer: 'Sees the devices that are theirs, nothing else.',
  tenant: 'Sees the climate of one room, nothing else.',
};
