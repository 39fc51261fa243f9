import type { PartnerOrg } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { pickOrgs } from './partner-orgs.ts';

const org = (name: string, anomalies_open = 0): PartnerOrg => ({
  id: name,
  name,
  slug: name.toLowerCase().replaceAll(' ', '-'),
  plan: 'pro',
  devices: 0,
  online: 0,
  anomalies_open,
  last_activity_at: null,
});

describe('the organisations of a partner', () => {
  const all = [org('Site 10'), org('Harbour Hotel', 2), org('Site 9')];

  it('stand with what needs a look first, then by name the way people count', () => {
    expect(pickOrgs(all, '').map(({ name }) => name)).toEqual(['Harbour Hotel', 'Site 9', 'Site 10']);
  });

  it('are found by name and by short name, whatever the case', () => {
    expect(pickOrgs(all, ' HOTEL ').map(({ name }) => name)).toEqual(['Harbour Hotel']);
    expect(pickOrgs(all, 'site-1').map(({ name }) => name)).toEqual(['Site 10']);
    expect(pickOrgs(all, 'x')).toEqual([]);
  });
});
