import { expect, it } from 'vitest';
import { waitWords } from './wait.ts';

it.each([
  [null, 'a few minutes'],
  [0, 'a few minutes'],
  [12, 'a minute'],
  [60, 'a minute'],
  [61, 'about 2 minutes'],
  [720, 'about 12 minutes'],
  [7200, 'about 2 hours'],
])('%s seconds to wait are %s', (seconds, words) => {
  expect(waitWords(seconds)).toBe(words);
});
