import type { OrgOverview } from '@edgeconductor/sdk';

export interface VersionShare {
  /** The version, "unknown", or "3 others". */
  label: string;
  devices: number;
}

export interface TypeShares {
  productType: string;
  devices: number;
  versions: VersionShare[];
}

const SHOWN = 4;
const natural = new Intl.Collator('en', { numeric: true });

/** Devices per version and product type: biggest type first, newest version first, the tail as one. */
export function byType(firmware: OrgOverview['firmware']): TypeShares[] {
  const types = new Map<string, VersionShare[]>();
  for (const { product_type, fw_version, devices } of firmware) {
    const shares = types.get(product_type) ?? [];
    shares.push({ label: fw_version ?? 'unknown', devices });
    types.set(product_type, shares);
  }
  return [...types]
    .map(([productType, shares]) => ({
      productType,
      devices: sum(shares),
      versions: shorten(shares.sort(newestFirst)),
    }))
    .sort((a, b) => b.devices - a.devices);
}

function newestFirst(a: VersionShare, b: VersionShare): number {
  if (a.label === 'unknown' || b.label === 'unknown') return a.label === 'unknown' ? 1 : -1;
  return natural.compare(b.label, a.label);
}

function shorten(shares: VersionShare[]): VersionShare[] {
  if (shares.length <= SHOWN) return shares;
  const rest = shares.slice(SHOWN - 1);
  return [...shares.slice(0, SHOWN - 1), { label: `${rest.length} others`, devices: sum(rest) }];
}

const sum = (shares: VersionShare[]) => shares.reduce((total, share) => total + share.devices, 0);
