/** Requests per minute of one credential: a bucket that refills steadily, so a burst of the whole allowance is
 *  fine and a steady excess is not. Kept in memory: every running copy of the function has its own. */
import { AppError } from '../../_shared/errors.ts';

interface Bucket {
  tokens: number;
  at: number;
  perMinute: number;
}

const MAX_BUCKETS = 50_000;

export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Throws `rate_limited` with the seconds to wait. A `perMinute` of null keeps what was known before. */
  take(key: string, perMinute: number | null, fallback: number): void {
    const now = this.#now();
    const known = this.#buckets.get(key);
    const limit = perMinute ?? known?.perMinute ?? fallback;
    const tokens = known ? Math.min(limit, known.tokens + ((now - known.at) / 60_000) * limit) : limit;
    const allowed = tokens >= 1;
    // Deleting first moves the key to the end: the map is ordered by last use.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now, perMinute: limit });
    this.#forgetOldest();
    if (allowed) return;
    const retry_after = Math.max(1, Math.ceil(((1 - tokens) * 60) / limit));
    throw new AppError('rate_limited', `At most ${limit} requests a minute; try again in ${retry_after} s.`, {
      retry_after,
      limit_per_minute: limit,
    });
  }

  /** Sets the allowance of a credential whose plan became known during a request. */
  learn(key: string, perMinute: number): void {
    const bucket = this.#buckets.get(key);
    if (bucket) {
      bucket.tokens = Math.min(perMinute, bucket.tokens);
      bucket.perMinute = perMinute;
    }
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= MAX_BUCKETS) return;
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      if (this.#buckets.size <= MAX_BUCKETS) return;
    }
  }
}
