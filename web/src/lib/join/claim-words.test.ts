import { describe, expect, it } from 'vitest';
import { claimWords, type ClaimTrouble } from './claim-words.ts';

const ALL: ClaimTrouble[] = [
  'used',
  'expired',
  'reissued',
  'transferred',
  'unclaimed',
  'retired',
  'unknown',
  'too_many',
];

describe('a code that cannot be used', () => {
  it('has words of its own in every state, and each says what to do', () => {
    const words = ALL.map((state) => claimWords(state, 'Harbour Hotel', 'about 12 minutes'));
    expect(new Set(words.map(({ title }) => title)).size).toBe(ALL.length);
    for (const { text } of words) expect(text).toMatch(/ask|sign in|try again/i);
  });

  it('names who can help, where that is known', () => {
    expect(claimWords('expired', 'Harbour Hotel', '').text).toContain('Harbour Hotel');
    expect(claimWords('expired', null, '').text).toContain('whoever gave you the device');
    expect(claimWords('too_many', null, 'about 12 minutes').text).toContain('about 12 minutes');
  });

  it('offers signing in only to somebody whose device it may be', () => {
    expect(ALL.filter((state) => claimWords(state, null, '').signIn)).toEqual(['used']);
  });
});
