import type { DeviceStatus, OrgOverview } from '@edgeconductor/sdk';

/** As many as a phone can tell apart. */
const MAX = 60;
const ORDER: readonly DeviceStatus[] = ['online', 'offline', 'never_seen'];

/**
 * One status per segment. Up to sixty devices have one each; beyond that segments are shares, and whatever exists at
 * all keeps at least one: a single dead device among ten thousand must not vanish.
 */
export function meterSegments(counts: Pick<OrgOverview['counts'], DeviceStatus>): DeviceStatus[] {
  const total = ORDER.reduce((sum, status) => sum + counts[status], 0);
  if (total <= MAX) return ORDER.flatMap((status) => Array<DeviceStatus>(counts[status]).fill(status));
  const shares = ORDER.map((status) => ({
    status,
    segments: counts[status] === 0 ? 0 : Math.max(1, Math.round((counts[status] / total) * MAX)),
  }));
  const widest = shares.reduce((a, b) => (b.segments > a.segments ? b : a));
  widest.segments += MAX - shares.reduce((sum, share) => sum + share.segments, 0);
  return shares.flatMap(({ status, segments }) => Array<DeviceStatus>(segments).fill(status));
}
