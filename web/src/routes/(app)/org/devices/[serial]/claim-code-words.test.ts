import { describe, expect, it } from 'vitest';
import { claimCodeWords } from './claim-code-words.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const status = (state: Parameters<typeof claimCodeWords>[0]['state'], expires_at: string | null = null) => ({
  state,
  expires_at,
  created_at: null,
  used_at: null,
});

describe('words about a claim code', () => {
  it('warn only while somebody could use it', () => {
    expect(claimCodeWords(status('claimable'), NOW).live).toBe(true);
    for (const state of [
      'none',
      'used',
      'yours',
      'expired',
      'reissued',
      'transferred',
      'unclaimed',
      'retired',
    ] as const)
      expect(claimCodeWords(status(state), NOW).live).toBe(false);
  });

  it('say how long it still works', () => {
    expect(claimCodeWords(status('claimable', '2026-11-26T12:00:00.000Z'), NOW).detail).toContain(
      'another 3 d',
    );
  });

  it('say why it ended', () => {
    expect(claimCodeWords(status('transferred'), NOW).detail).toBe(
      'The device went to another organisation. Make a new one to hand the device on.',
    );
  });
});
