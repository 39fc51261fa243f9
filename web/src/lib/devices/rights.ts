import type { Rights } from '#lib/auth/rights.ts';

/** Whether the person may change a device: an admin who followed a link may look at one of another org than the
 *  one on the screen, and the API decides about that. */
export function mayConfigureIn(
  deviceOrgId: string,
  page: { org: { id: string } | null; rights: Rights; person: { roles: readonly string[] } },
): boolean {
  if (page.org?.id === deviceOrgId) return page.rights.configure;
  return page.person.roles.some((role) => role === 'admin' || role === 'partner');
}

/** Whether the person may set desired values and send commands. Partners look after organisations, not after relays. */
export function mayControlIn(
  deviceOrgId: string,
  page: { org: { id: string } | null; rights: Pick<Rights, 'control'>; person: { roles: readonly string[] } },
): boolean {
  return page.org?.id === deviceOrgId ? page.rights.control : page.person.roles.includes('admin');
}
