import { expect, it } from 'vitest';
import { roomWords } from './room-words.ts';

it('explains every way a room’s code can end, and says what to do', () => {
  const words = (['expired', 'rotated', 'revoked', 'unknown', 'too_many'] as const).map((trouble) =>
    roomWords(trouble, 'about 12 minutes'),
  );
  expect(new Set(words.map(({ title }) => title)).size).toBe(words.length);
  for (const { text } of words) expect(text).toMatch(/ask|try again in about 12 minutes/i);
});
