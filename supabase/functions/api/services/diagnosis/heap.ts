import type { DeviceDiagnostics, HealthVerdict } from '@edgeconductor/sdk/contract';
import { numberOf, timeOf, verdict, type Facts, type Point } from './facts.ts';
import { trendOf, type Trend } from './trend.ts';
import { bytes, span } from './words.ts';

type Heap = NonNullable<DeviceDiagnostics['heap']>;

const LEARNING_H = 1;
/** Three of four moments must be lower than those before: a sawtooth and noise never get there. */
const STEADY_FALL = -0.5;
/** More of the fall than this in one step is something that was taken once, not a leak. */
const ONE_STEP = 0.5;
const SOON_H = 24;
/** What a program sets up when it starts is no leak. */
const WARM_UP_MS = 5 * 60_000;

/** Free memory and its trend since the last restart: a leak falls steadily for an hour and more, and does not recover. */
export function judgeHeap(facts: Facts, startedAt: number | null): Heap | null {
  const free = numberOf(facts, 'heap');
  if (free === null) return null;
  const since = startedAt === null ? -Infinity : startedAt + WARM_UP_MS;
  const seen = (facts.series.series['heap'] ?? []).filter((point) => point !== null && point[0] >= since) as [
    number,
    number,
    number,
    number,
  ][];
  const trend = trendOf(seen.map(([t, , mean]): Point => [t, mean]));
  const known = trend !== null && trend.spanH >= LEARNING_H ? trend : null;
  const leaks =
    known !== null &&
    known.steadiness <= STEADY_FALL &&
    known.largestStep < ONE_STEP &&
    known.perHour <= -facts.health.heap.leak_bytes_per_h;
  const hoursLeft = leaks ? free / -known.perHour : null;
  return {
    bytes: free,
    at: timeOf(facts, 'heap'),
    min: seen.length === 0 ? null : Math.min(...seen.map((point) => point[1])),
    slope_per_h: known === null ? null : Math.round(known.perHour),
    hours_left: hoursLeft === null ? null : Math.round(hoursLeft * 10) / 10,
    verdict: judge(free, known, hoursLeft, facts),
  };
}

function judge(free: number, trend: Trend | null, hoursLeft: number | null, facts: Facts): HealthVerdict {
  const { warn_bytes, bad_bytes } = facts.health.heap;
  const mend = 'Report it to the maker of the firmware; a restart frees the memory until then.';
  if (hoursLeft !== null && trend !== null)
    return verdict(
      hoursLeft < SOON_H || free < bad_bytes ? 'bad' : 'warn',
      'leak',
      `Memory leak: free memory falls by ${bytes(-trend.perHour)} an hour and runs out in about ${span(hoursLeft)}.`,
      mend,
    );
  if (free < bad_bytes)
    return verdict(
      'bad',
      'very_low',
      `Only ${bytes(free)} of memory are free; it may crash any moment.`,
      'Restart the device, and report it to the maker of the firmware.',
    );
  if (free < warn_bytes)
    return verdict(
      'warn',
      'low',
      `Memory is short: ${bytes(free)} are free.`,
      'Watch whether it falls further.',
    );
  if (trend === null)
    return verdict('ok', 'learning', 'Enough memory is free. The trend shows an hour after a restart.');
  return verdict('ok', 'steady', 'Enough memory is free, and it does not dwindle.');
}
