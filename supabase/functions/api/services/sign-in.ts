/** Signing in happens at the auth server; here it is only counted. */
import type { Actor } from '../../_shared/auth.ts';
import { AppError } from '../../_shared/errors.ts';
import type { RateLimiter } from '../http/rate-limit.ts';

const DAY_S = 86_400;

/**
 * Whether this session stands for a counted sign-in to that account. Throws `forbidden` for another account and
 * `rate_limited` the second time: else one session could give back what others guess away.
 */
export async function confirmSignIn(limiter: RateLimiter, actor: Actor, email: string): Promise<void> {
  const claims = actor.kind === 'user' ? actor.claims : undefined;
  if (claims?.session_id === undefined || claims.email?.toLowerCase() !== email)
    throw new AppError('forbidden', 'This session belongs to another account.');
  await limiter.takeExactly([{ key: `signed-in:${claims.session_id}`, limit: 1, windowS: DAY_S }]);
}
