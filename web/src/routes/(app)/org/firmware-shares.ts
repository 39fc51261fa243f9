import type { OrgOverview } from '@edgeconductor/sdk';
import { compareVersions } from '#lib/format/versions.ts';

export interface VersionShare {
  /** The version, "unknown", or "3 others". */
  label: string;
  /** Null for "unknown" and "3 others": the list of devices cannot be asked for those. */
  version: string | null;
  devices: number;
}

export interface TypeShares {
  productType: string;
  devices: number;
  versions: VersionShare[];
}

const SHOWN = 4;

/** Devices per version and product type: biggest type first, newest version first, the tail as one. */
export function byType(firmware: OrgOverview['firmware']): TypeShares[] {
  const types = new Map<string, VersionShare[]>();
  for (const { product_type, fw_version, devices } of firmware) {
    const shares = types.get(product_type) ?? [];
    shares.push({ label: fw_version ?? 'unknown', version: fw_version, devices });
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
  if (a.version === null || b.version === null) return a.version === null ? 1 : -1;
  return compareVersions(b.version, a.version);
}

function shorten(shares: VersionShare[]): VersionShare[] {
  if (shares.length <= SHOWN) return shares;
  const rest = shares.slice(SHOWN - 1);
  return [
    ...shares.slice(0, SHOWN - 1),
    { label: `${rest.length} others`, version: null, devices: sum(rest) },
  ];
}

const sum = (shares: VersionShare[]) => shares.reduce((total, share) => total + share.devices, 0);
