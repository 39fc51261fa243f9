/** A trend that single spikes do not move. */
import type { Point } from './facts.ts';

export interface Trend {
  /** Units an hour: the median of the slopes between all pairs (Theil–Sen). */
  perHour: number;
  /** −1…1: how much of all pairs agree on the direction (Kendall). Noise is near 0, as is a sawtooth. */
  steadiness: number;
  spanH: number;
  /** The largest change from one point to the next against the trend of the whole: 1 is one step and nothing else. */
  largestStep: number;
}

const HOUR = 3_600_000;
/** Pairs grow with the square: 120 points are seven thousand. */
const MAX_POINTS = 120;

/** Null for fewer than six points. */
export function trendOf(points: readonly Point[]): Trend | null {
  const few = thin(points, MAX_POINTS);
  if (few.length < 6) return null;
  const slopes: number[] = [];
  let agreement = 0;
  for (let i = 0; i < few.length; i++) {
    for (let j = i + 1; j < few.length; j++) {
      const [t0, v0] = few[i] as Point;
      const [t1, v1] = few[j] as Point;
      slopes.push(((v1 - v0) / (t1 - t0)) * HOUR);
      agreement += Math.sign(v1 - v0);
    }
  }
  const first = few[0] as Point;
  const last = few.at(-1) as Point;
  const perHour = median(slopes);
  const spanH = (last[0] - first[0]) / HOUR;
  const steps = few.slice(1).map(([, value], i) => (value - (few[i] as Point)[1]) * Math.sign(perHour));
  return {
    perHour,
    steadiness: agreement / slopes.length,
    spanH,
    largestStep: perHour === 0 ? 0 : Math.max(...steps) / Math.abs(perHour * spanH),
  };
}

export function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 === 1
    ? (values[middle] as number)
    : ((values[middle - 1] as number) + (values[middle] as number)) / 2;
}

/** Means of neighbours, so that no more than `most` are left. */
function thin(points: readonly Point[], most: number): readonly Point[] {
  const size = Math.ceil(points.length / most);
  if (size <= 1) return points;
  const few: Point[] = [];
  for (let i = 0; i < points.length; i += size) {
    const part = points.slice(i, i + size);
    const mean = (index: 0 | 1): number => part.reduce((sum, point) => sum + point[index], 0) / part.length;
    few.push([mean(0), mean(1)]);
  }
  return few;
}
