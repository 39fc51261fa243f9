import type { Membership } from '@edgeconductor/sdk';
import type { Role } from './roles.ts';

/** One thing somebody is, where: what the account menu offers to switch to. */
export interface Standing {
  /** Of the membership. */
  id: string;
  role: Role;
  title: string;
  /** The org a room lies in, where the title is the room. */
  within: string | null;
  /** Where it leads. Staff of an org post its id to `/org/switch`, because every page changes with it. */
  leads: { href: string } | { org: string };
}

export function standingsOf(memberships: readonly Membership[]): Standing[] {
  return memberships.map((membership) => {
    const { id, role, org_name: org, location_name: room } = membership;
    const title = role === 'tenant' ? room : role === 'partner' ? membership.partner_name : org;
    return {
      id,
      role,
      title: title ?? (role === 'admin' ? 'Platform' : 'Unnamed'),
      within: role === 'tenant' ? org : null,
      leads: leadsTo(membership),
    };
  });
}

function leadsTo({ role, org_id: org, location_id: room }: Membership): Standing['leads'] {
  switch (role) {
    case 'admin':
      return { href: '/' };
    case 'partner':
      return { href: '/partner' };
    case 'customer':
      return { href: '/portal' };
    case 'tenant':
      return { href: room ? `/portal/room?room=${room}` : '/portal/room' };
    case 'org_admin':
    case 'operator':
    case 'viewer':
      return org ? { org } : { href: '/org' };
  }
}
