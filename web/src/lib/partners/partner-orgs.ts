import type { PartnerOrg } from '@edgeconductor/sdk';

/** Those whose name or short name holds the text; what needs a look first, then by name. */
export function pickOrgs(orgs: readonly PartnerOrg[], q: string): PartnerOrg[] {
  const wanted = q.trim().toLowerCase();
  return orgs
    .filter(({ name, slug }) => name.toLowerCase().includes(wanted) || slug.includes(wanted))
    .sort(
      (a, b) => b.anomalies_open - a.anomalies_open || a.name.localeCompare(b.name, 'en', { numeric: true }),
    );
}
