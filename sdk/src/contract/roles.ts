/** Roles, widest first, and where each is at home in the web app. */
export const ROLES = ['admin', 'partner', 'org_admin', 'operator', 'viewer', 'customer', 'tenant'] as const;
type Role = (typeof ROLES)[number];

export const ROLE_HOME: Record<Role, string> = {
  admin: '/',
  partner: '/partner',
  org_admin: '/org',
  operator: '/org',
  viewer: '/org',
  customer: '/portal',
  tenant: '/portal/room',
};

export function widestRole(roles: readonly Role[]): Role | null {
  return ROLES.find((role) => roles.includes(role)) ?? null;
}
