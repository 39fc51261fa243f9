import { describe, expect, it } from 'vitest';
import { byState, endOf, keyState } from './key-state.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const past = '2026-11-23T11:59:59.000Z';
const future = '2026-11-23T12:00:01.000Z';

describe('what a key can do', () => {
  it.each([
    [{ expires_at: null, revoked_at: null }, 'works'],
    [{ expires_at: future, revoked_at: null }, 'works'],
    [{ expires_at: past, revoked_at: null }, 'expired'],
    [{ expires_at: future, revoked_at: past }, 'revoked'],
    [{ expires_at: past, revoked_at: past }, 'revoked'],
  ] as const)('%j %s', (key, state) => {
    expect(keyState(key, NOW)).toBe(state);
  });

  it('puts those that work first and keeps their order', () => {
    const keys = [
      { id: 1, expires_at: past, revoked_at: null },
      { id: 2, expires_at: null, revoked_at: null },
      { id: 3, expires_at: null, revoked_at: past },
      { id: 4, expires_at: future, revoked_at: null },
    ];
    expect(byState(keys, NOW).map(({ id }) => id)).toEqual([2, 4, 1, 3]);
  });

  it('ends a lifetime in the future, or never', () => {
    expect(endOf('', NOW)).toBeNull();
    expect(endOf('2592000', NOW)).toBe('2026-12-23T12:00:00.000Z');
  });
});
