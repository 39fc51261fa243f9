import { parseTime } from '#lib/format/time.ts';

export type KeyState = 'works' | 'expired' | 'revoked';

interface Ends {
  expires_at: string | null;
  revoked_at: string | null;
}

/** What a key can do right now. */
export function keyState({ expires_at, revoked_at }: Ends, now: number): KeyState {
  if (revoked_at) return 'revoked';
  const expires = parseTime(expires_at);
  return expires !== null && expires <= now ? 'expired' : 'works';
}

/** Those that work first, in the order they came. */
export function byState<T extends Ends>(keys: readonly T[], now: number): T[] {
  return keys.toSorted((a, b) => Number(keyState(a, now) !== 'works') - Number(keyState(b, now) !== 'works'));
}

const DAY_S = 86_400;

/** How long a new key may live. */
export const LIFETIMES = [
  { value: '', label: 'Until it is revoked' },
  { value: String(30 * DAY_S), label: '30 days' },
  { value: String(90 * DAY_S), label: '90 days' },
  { value: String(365 * DAY_S), label: 'One year' },
] as const;

/** End of a lifetime that starts now; null for one without an end. */
export function endOf(lifetime: string, now: number): string | null {
  return lifetime === '' ? null : new Date(now + Number(lifetime) * 1000).toISOString();
}
