import { expect, it } from 'vitest';
import { RateLimiter } from './rate-limit.ts';

function at() {
  let now = 0;
  const limiter = new RateLimiter(() => now);
  const take = (key: string, perMinute: number | null = 60): number | true => {
    try {
      limiter.take(key, perMinute, 60);
      return true;
    } catch (error) {
      return (error as { extra: { retry_after: number } }).extra.retry_after;
    }
  };
  return { limiter, take, wait: (ms: number) => (now += ms) };
}

it('lets a minute’s allowance through at once, then one for every share of the minute', () => {
  const { take, wait } = at();
  expect(Array.from({ length: 60 }, () => take('a'))).toEqual(Array(60).fill(true));
  expect(take('a')).toBe(1);
  wait(999);
  expect(take('a')).toBe(1);
  wait(1);
  expect(take('a')).toBe(true);
  expect(take('a')).toBe(1);
  wait(3_600_000);
  expect(Array.from({ length: 61 }, () => take('a')).filter((taken) => taken === true)).toHaveLength(60);
});

it('keeps credentials apart', () => {
  const { take } = at();
  for (let n = 0; n < 60; n++) take('a');
  expect([take('a'), take('b')]).toEqual([1, true]);
});

it('remembers a plan that became known later', () => {
  const { limiter, take } = at();
  expect(take('a', null)).toBe(true);
  limiter.learn('a', 2);
  expect([take('a', null), take('a', null), take('a', null)]).toEqual([true, true, 30]);
});
