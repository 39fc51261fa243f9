import type { Membership } from '@edgeconductor/sdk';

/** What somebody may do in the org on the screen. The database decides again at every request; this only keeps
 *  buttons away from people for whom they would be dead. */
export interface Rights {
  /** Settings, members, keys, rooms, devices: admins, the org's partner and its org admins. */
  configure: boolean;
  /** Desired values and commands: operators, too, but no partner. */
  control: boolean;
  /** Firmware and its jobs: org admins; no partner, as with commands. */
  ota: boolean;
  /** The plan: admins and the org's partner. */
  plan: boolean;
}

interface OrgOf {
  id: string;
  partner_id?: string | null;
}

export const NO_RIGHTS: Rights = { configure: false, control: false, ota: false, plan: false };

export function rightsIn(
  memberships: readonly Pick<Membership, 'role' | 'org_id' | 'partner_id'>[],
  org: OrgOf | null,
): Rights {
  if (!org) return NO_RIGHTS;
  const here = memberships.filter(
    ({ role, org_id, partner_id }) =>
      role === 'admin' ||
      org_id === org.id ||
      (role === 'partner' && partner_id !== null && partner_id === org.partner_id),
  );
  const has = (...roles: Membership['role'][]) => here.some(({ role }) => roles.includes(role));
  return {
    configure: has('admin', 'partner', 'org_admin'),
    control: has('admin', 'org_admin', 'operator'),
    ota: has('admin', 'org_admin'),
    plan: has('admin', 'partner'),
  };
}
