import type { Membership } from '@edgeconductor/sdk';

export type Role = Membership['role'];

/** Which pages are for whom. The database decides what anybody may read; this only decides which page to show. */

// The longest matching area decides.
const AREAS: readonly { path: string; roles: readonly Role[] }[] = [
  { path: '/portal/room', roles: ['tenant'] },
  { path: '/portal', roles: ['customer'] },
  { path: '/partner', roles: ['partner'] },
  { path: '/org', roles: ['admin', 'partner', 'org_admin', 'operator', 'viewer'] },
  { path: '/', roles: ['admin'] },
];

/** Where people wait whom nobody has invited yet. */
export const WELCOME = '/welcome';
const FOR_EVERYBODY = [WELCOME, '/account', '/claim/done'];

/** Whether a page is for one of these roles. Some are for everybody who is signed in. */
export function mayVisit(path: string, roles: readonly Role[]): boolean {
  if (FOR_EVERYBODY.some((area) => isWithin(path, area))) return true;
  const area = AREAS.find((candidate) => isWithin(path, candidate.path));
  return area !== undefined && area.roles.some((role) => roles.includes(role));
}

function isWithin(path: string, area: string): boolean {
  return area === '/' || path === area || path.startsWith(`${area}/`);
}

export const ROLE_WORDS: Record<Role, string> = {
  admin: 'Platform admin',
  partner: 'Partner',
  org_admin: 'Org admin',
  operator: 'Operator',
  viewer: 'Viewer',
  customer: 'Customer',
  tenant: 'Tenant',
};

/** Whether the person may change settings of an org and its devices. */
export function mayConfigure(roles: readonly Role[]): boolean {
  return roles.some((role) => role === 'admin' || role === 'partner' || role === 'org_admin');
}
