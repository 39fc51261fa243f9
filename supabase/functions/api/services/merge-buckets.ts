import type { BucketPoint, TelemetryBuckets } from '@edgeconductor/sdk/contract';

/** Chart series of several devices as one: the widest min and max, the mean of the means. All share a grid. */
export function mergeBuckets(all: TelemetryBuckets[]): TelemetryBuckets | null {
  const [first] = all;
  if (first === undefined || all.length === 1) return first ?? null;
  const keys = new Set(all.flatMap((one) => Object.keys(one.series)));
  const series = Object.fromEntries(
    [...keys].sort().map((key) => [key, mergeLine(key, all, first.bucket_s)]),
  );
  return { ...first, series };
}

function mergeLine(key: string, all: TelemetryBuckets[], bucketS: number): BucketPoint[] {
  const sums = new Map<number, { min: number; max: number; sum: number; count: number }>();
  for (const point of all.flatMap((one) => one.series[key] ?? [])) {
    if (point === null) continue;
    const [t, min, avg, max] = point;
    const known = sums.get(t) ?? { min, max, sum: 0, count: 0 };
    sums.set(t, {
      min: Math.min(known.min, min),
      max: Math.max(known.max, max),
      sum: known.sum + avg,
      count: known.count + 1,
    });
  }
  const line: BucketPoint[] = [];
  let last: number | undefined;
  for (const [t, { min, max, sum, count }] of [...sums].sort(([a], [b]) => a - b)) {
    // As in ec.telemetry_buckets: the line breaks where nothing was measured by any device.
    if (last !== undefined && t - last > 3000 * bucketS) line.push(null);
    line.push([t, min, sum / count, max]);
    last = t;
  }
  return line;
}
