import { expect, test } from 'vitest';
import { Attempts } from './attempts.ts';

test('after so many failures one must wait until the window ends', () => {
  const attempts = new Attempts(3, 60_000);
  for (let i = 0; i < 3; i++) {
    expect(attempts.waitSeconds('a', 1000)).toBe(0);
    attempts.failed('a', 1000);
  }
  expect(attempts.waitSeconds('a', 31_000)).toBe(30);
  expect(attempts.waitSeconds('b', 31_000)).toBe(0);
  expect(attempts.waitSeconds('a', 61_000)).toBe(0);
});

test('a success starts anew', () => {
  const attempts = new Attempts(1, 60_000);
  attempts.failed('a', 0);
  attempts.succeeded('a');
  expect(attempts.waitSeconds('a', 1)).toBe(0);
});
