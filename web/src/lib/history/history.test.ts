import { describe, expect, it } from 'vitest';
import { continued, isEmpty, nearest, summarise, type Point } from './series.ts';
import { timeTicks } from './time-ticks.ts';
import { valueTicks } from './value-ticks.ts';

const packet = (ts: number, temp: unknown) => ({ ts, data: { temp } });

describe('stored buckets continued by live packets', () => {
  const stored: Point[] = [
    [0, 20, 21, 22],
    [10_000, 20, 21, 22],
  ];

  it('puts packets into the buckets the database would use', () => {
    const points = continued(
      stored,
      [packet(20_001, 10), packet(25_000, 30), packet(31_000, 7)],
      'temp',
      10_000,
    );
    expect(points.slice(2)).toEqual([
      [20_000, 10, 20, 30],
      [30_000, 7, 7, 7],
    ]);
  });

  it('leaves stored buckets alone and takes numbers only', () => {
    const packets = [packet(12_000, 99), packet(20_000, 'hot'), packet(21_000, null)];
    expect(continued(stored, packets, 'temp', 10_000)).toEqual(stored);
  });

  it('shows a silence of more than three buckets as a gap', () => {
    expect(continued(stored, [packet(30_000, 1)], 'temp', 10_000)).not.toContain(null);
    expect(continued(stored, [packet(90_000, 1)], 'temp', 10_000)[2]).toBeNull();
  });

  it('begins from nothing', () => {
    expect(continued([], [packet(5_000, 1)], 'temp', 10_000)).toEqual([[0, 1, 1, 1]]);
  });
});

describe('the summary and the crosshair', () => {
  const points: Point[] = [[0, 1, 2, 3], null, [100, 5, 6, 9], [200, 0, 1, 2]];

  it('covers the window and no more', () => {
    expect(summarise(points, 50, 150)).toEqual({ min: 5, mean: 6, max: 9, last: 6, lastAt: 100 });
    expect(summarise(points, 300, 400)).toBeNull();
  });

  it('finds the nearest reading, but none inside a gap', () => {
    expect(nearest(points, 110, 20)?.[0]).toBe(100);
    expect(nearest(points, 50, 20)).toBeNull();
  });

  it('knows when there is nothing to draw', () => {
    expect(isEmpty({ series: { temp: [null] } })).toBe(true);
    expect(isEmpty({ series: {} })).toBe(true);
    expect(isEmpty({ series: { temp: [null, [0, 1, 1, 1]] } })).toBe(false);
  });
});

describe('ticks', () => {
  const at = (iso: string) => Date.parse(iso);
  const clock = (ticks: number[], timeZone: string) =>
    ticks.map((tick) =>
      new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone }).format(tick),
    );

  it('stand at round times of the reader’s zone', () => {
    const ticks = timeTicks(at('2026-11-22T00:10:00Z'), at('2026-11-22T06:10:00Z'), 6, 'Asia/Kolkata');
    expect(clock(ticks, 'Asia/Kolkata')).toEqual(['06:00', '07:00', '08:00', '09:00', '10:00', '11:00']);
  });

  it('stay at midnight across a change to winter time', () => {
    const ticks = timeTicks(at('2026-10-23T12:00:00Z'), at('2026-10-27T12:00:00Z'), 6, 'Europe/Berlin');
    expect(new Set(clock(ticks, 'Europe/Berlin'))).toEqual(new Set(['00:00']));
  });

  it('are round values, at least two', () => {
    expect(valueTicks(19.6, 24.4)).toEqual([20, 22, 24]);
    expect(valueTicks(423, 913)).toEqual([600, 800]);
    expect(valueTicks(-69, -53)).toEqual([-65, -60, -55]);
    expect(valueTicks(3.801, 3.87).length).toBeGreaterThanOrEqual(2);
    expect(valueTicks(5, 5)).toEqual([5]);
  });
});
