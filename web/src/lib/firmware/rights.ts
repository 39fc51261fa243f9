import type { Rights } from '#lib/auth/rights.ts';

/** Whether the person may update devices of that org; an admin may have followed a link into one that is not on the
 *  screen. The API decides again. */
export function mayUpdateIn(
  orgId: string | undefined,
  page: { org: { id: string } | null; rights: Pick<Rights, 'ota'>; person: { roles: readonly string[] } },
): boolean {
  return page.org?.id === orgId ? page.rights.ota : page.person.roles.includes('admin');
}
