import type { Membership } from '@edgeconductor/sdk';
import { expect, it } from 'vitest';
import { standingsOf } from './standings.ts';

const membership = (more: Partial<Membership>): Membership => ({
  id: 'm',
  role: 'viewer',
  partner_id: null,
  partner_name: null,
  org_id: null,
  org_name: null,
  org_slug: null,
  location_id: null,
  location_name: null,
  ...more,
});

it('names each place a person belongs to, and leads there', () => {
  const standings = standingsOf([
    membership({ id: 'a', role: 'admin' }),
    membership({ id: 'b', role: 'partner', partner_name: 'Northwind' }),
    membership({ id: 'c', role: 'viewer', org_id: 'o-1', org_name: 'Acme' }),
    membership({ id: 'd', role: 'customer', org_id: 'o-1', org_name: 'Acme' }),
    membership({
      id: 'e',
      role: 'tenant',
      org_name: 'Harbour',
      location_id: 'r-1',
      location_name: 'Room 204',
    }),
  ]);
  expect(standings.map(({ title, within, leads }) => [title, within, leads])).toEqual([
    ['Platform', null, { href: '/' }],
    ['Northwind', null, { href: '/partner' }],
    ['Acme', null, { org: 'o-1' }],
    ['Acme', null, { href: '/portal' }],
    ['Room 204', 'Harbour', { href: '/portal/room?room=r-1' }],
  ]);
});
