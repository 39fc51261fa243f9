import type { BucketPoint, TelemetryBuckets } from '@edgeconductor/sdk';
import type { Packet } from '#lib/state/device-live.svelte.ts';

/** [epoch ms, min, mean, max]; null is a gap and is drawn as one. */
export type Point = BucketPoint;

export interface Summary {
  min: number;
  mean: number;
  max: number;
  last: number;
  lastAt: number;
}

/**
 * The stored buckets of a metric, continued with packets that arrived since: each packet falls into the bucket
 * the database would put it into. More than three empty buckets are a gap.
 */
export function continued(
  stored: readonly Point[],
  packets: readonly Packet[],
  key: string,
  bucketMs: number,
): Point[] {
  const points = [...stored];
  const lastStored = points.findLast((point) => point !== null)?.[0] ?? -Infinity;
  let open: { at: number; values: number[] } | null = null;
  const close = () => {
    if (!open) return;
    const before = points.findLast((point) => point !== null)?.[0];
    if (before !== undefined && open.at - before > 3 * bucketMs && points.at(-1) !== null) points.push(null);
    const sum = open.values.reduce((a, b) => a + b, 0);
    points.push([open.at, Math.min(...open.values), sum / open.values.length, Math.max(...open.values)]);
    open = null;
  };
  for (const packet of packets) {
    const value = packet.data[key];
    const at = Math.floor(packet.ts / bucketMs) * bucketMs;
    if (typeof value !== 'number' || at <= lastStored) continue;
    if (open && open.at === at) open.values.push(value);
    else {
      close();
      open = { at, values: [value] };
    }
  }
  close();
  return points;
}

/** Over the points within [from, to]; null when there is none. The mean is of bucket means, as drawn. */
export function summarise(points: readonly Point[], from: number, to: number): Summary | null {
  const seen = points.filter((point) => point !== null && point[0] >= from && point[0] <= to) as [
    number,
    number,
    number,
    number,
  ][];
  const last = seen.at(-1);
  if (!last) return null;
  return {
    min: Math.min(...seen.map((point) => point[1])),
    mean: seen.reduce((sum, point) => sum + point[2], 0) / seen.length,
    max: Math.max(...seen.map((point) => point[3])),
    last: last[2],
    lastAt: last[0],
  };
}

/** The point nearest to a moment, if one is within reach; nothing inside a gap. */
export function nearest(points: readonly Point[], at: number, reachMs: number): Exclude<Point, null> | null {
  let best: Exclude<Point, null> | null = null;
  for (const point of points) {
    if (point && Math.abs(point[0] - at) <= Math.abs((best?.[0] ?? Infinity) - at)) best = point;
  }
  return best && Math.abs(best[0] - at) <= reachMs ? best : null;
}

/** True when a reply holds nothing to draw. */
export function isEmpty(buckets: Pick<TelemetryBuckets, 'series'>): boolean {
  return Object.values(buckets.series).every((points) => points.every((point) => point === null));
}
