import { expect, it } from 'vitest';
import { mergeBuckets } from './merge-buckets.ts';

const one = (series: Record<string, ([number, number, number, number] | null)[]>) => ({
  bucket_s: 60,
  from: '2026-11-22T00:00:00.000Z',
  to: '2026-11-22T01:00:00.000Z',
  series,
});

it('nothing is nothing and one device stays as it is', () => {
  expect(mergeBuckets([])).toBeNull();
  const line = one({ temp: [[0, 1, 2, 3], null, [600_000, 1, 2, 3]] });
  expect(mergeBuckets([line])).toBe(line);
});

it('several devices become one line, broken where none of them measured', () => {
  const merged = mergeBuckets([
    one({ temp: [[0, 10, 12, 14], null, [600_000, 20, 20, 20]], co2: [[0, 400, 400, 400]] }),
    one({
      temp: [
        [0, 8, 10, 11],
        [60_000, 9, 9, 9],
      ],
    }),
  ]);
  expect(merged?.series).toEqual({
    co2: [[0, 400, 400, 400]],
    temp: [[0, 8, 11, 14], [60_000, 9, 9, 9], null, [600_000, 20, 20, 20]],
  });
});
