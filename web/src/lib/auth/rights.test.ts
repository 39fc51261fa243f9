import { describe, expect, it } from 'vitest';
import { NO_RIGHTS, rightsIn } from './rights.ts';

type Memberships = Parameters<typeof rightsIn>[0];
const of = (
  role: Memberships[number]['role'],
  org_id: string | null = null,
  partner_id: string | null = null,
) => ({
  role,
  org_id,
  partner_id,
});
const org = { id: 'acme', partner_id: 'northwind' };

describe('rights in the org on the screen', () => {
  it.each([
    ['an admin', of('admin'), { configure: true, control: true, ota: true, plan: true }],
    [
      'its partner',
      of('partner', null, 'northwind'),
      { configure: true, control: false, ota: false, plan: true },
    ],
    ['another partner', of('partner', null, 'southwind'), NO_RIGHTS],
    ['its org admin', of('org_admin', 'acme'), { configure: true, control: true, ota: true, plan: false }],
    ['an operator', of('operator', 'acme'), { configure: false, control: true, ota: false, plan: false }],
    ['a viewer', of('viewer', 'acme'), NO_RIGHTS],
    ['a tenant', of('tenant', 'acme'), NO_RIGHTS],
  ])('%s', (_, membership, rights) => {
    expect(rightsIn([membership], org)).toEqual(rights);
  });

  it('do not travel: an org admin elsewhere is only a viewer here', () => {
    expect(rightsIn([of('org_admin', 'hotel'), of('viewer', 'acme')], org)).toEqual(NO_RIGHTS);
  });

  it('are none without an org', () => {
    expect(rightsIn([of('admin')], null)).toEqual(NO_RIGHTS);
  });
});
