import { describe, expect, it } from 'vitest';
import { judgeHeap } from './heap.ts';
import { facts, HOUR, MINUTE, noise, NOW, series } from '../../../test/health.ts';

type Made = ([number, number, number, number] | null)[];

const judged = (
  points: Made,
  free = (points.at(-1) ?? [0, 0, 180_000])[2],
  startedAt: number | null = null,
) =>
  judgeHeap(
    facts({
      reported: { heap: free },
      series: { bucket_s: 300, from: '', to: '', series: { heap: points } },
    }),
    startedAt,
  )!;
const FIVE = 5 * MINUTE;

describe('free memory', () => {
  it('that falls steadily is a leak, with its pace and its end', () => {
    const heap = judged(series(12, FIVE, (hour, i) => 120_000 - hour * 3000 + noise(i) * 400));
    expect(heap.slope_per_h).toBeGreaterThan(-3100);
    expect(heap.slope_per_h).toBeLessThan(-2900);
    expect(heap.hours_left).toBeCloseTo(28, 0);
    expect(heap.verdict).toMatchObject({ level: 'warn', code: 'leak' });
    expect(heap.verdict.text).toMatch(
      /^Memory leak: free memory falls by 2\.9 KB an hour and runs out in about 28 hours\.$/,
    );
    expect(heap.verdict.advice).toContain('restart');
  });

  it('that runs out within the day is bad', () => {
    expect(judged(series(6, FIVE, (hour) => 60_000 - hour * 4000)).verdict).toMatchObject({
      level: 'bad',
      code: 'leak',
    });
  });

  it('a slow leak shows through noise six times its hourly fall', () => {
    const heap = judged(series(24, FIVE, (hour, i) => 180_000 - hour * 260 + noise(i) * 800));
    expect(heap.verdict).toMatchObject({ level: 'warn', code: 'leak' });
    expect(heap.slope_per_h).toBeCloseTo(-260, -2);
  });

  it.each([
    ['every twenty minutes', 1 / 3],
    ['every hour', 1],
    ['every five hours', 5],
    ['every nine hours', 9],
  ])('that falls and is freed again %s, a sawtooth, is no leak', (_how, period) => {
    const heap = judged(series(24, FIVE, (hour) => 150_000 - ((hour % period) / period) * 40_000));
    expect(heap.verdict).toMatchObject({ level: 'ok', code: 'steady' });
    expect(heap.hours_left).toBeNull();
  });

  it.each([500, 5000, 30_000])('that is noise of %i bytes is no leak', (size) => {
    const heap = judged(series(24, FIVE, (_, i) => 150_000 + noise(i) * size));
    expect(heap.verdict).toMatchObject({ level: 'ok', code: 'steady' });
  });

  it('that fell once and stayed there is no leak', () => {
    const heap = judged(series(24, FIVE, (hour, i) => (hour < 12 ? 170_000 : 150_000) + noise(i) * 300));
    expect(heap.verdict.code).toBe('steady');
  });

  it('is judged since the last restart only: what leaked before is freed', () => {
    const leaked = series(24, FIVE, (hour) => 170_000 - hour * 3000).map(
      ([t, v]): [number, number, number, number] =>
        t > NOW - 3 * HOUR ? [t, 170_000, 170_000, 170_000] : [t, v, v, v],
    );
    expect(judged(leaked, 170_000, NOW - 3 * HOUR).verdict.code).toBe('steady');
    const leaking = series(24, FIVE, (hour) => (hour < 20 ? 170_000 : 170_000 - (hour - 20) * 3000));
    expect(judged(leaking, undefined, NOW - 4 * HOUR).verdict.code).toBe('leak');
  });

  it('what a program takes while it starts is no leak', () => {
    const started = NOW - 2 * HOUR;
    const heap = judged(
      series(2, MINUTE, (hour, i) => (hour < 0.07 ? 200_000 - hour * 600_000 : 158_000 + noise(i) * 200)),
      undefined,
      started,
    );
    expect(heap.verdict.code).toBe('steady');
  });

  it('has no trend before an hour has passed, and is judged by its amount', () => {
    const points = series(0.8, MINUTE, (hour) => 150_000 - hour * 9000);
    expect(judged(points)).toMatchObject({
      slope_per_h: null,
      hours_left: null,
      verdict: { level: 'ok', code: 'learning' },
    });
    expect(judged([], 30_000).verdict).toMatchObject({ level: 'warn', code: 'low' });
    expect(judged([], 12_000).verdict).toMatchObject({ level: 'bad', code: 'very_low' });
  });

  it('may have gaps', () => {
    const points = series(12, FIVE, (hour) => 120_000 - hour * 3000);
    const holed: Made = points.flatMap((point, i) => (i % 7 === 0 ? [null, point] : [point]));
    expect(judged(holed, 84_000).verdict.code).toBe('leak');
  });
});
