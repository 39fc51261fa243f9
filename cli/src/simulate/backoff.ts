/**
 * Full-jitter back-off: a uniformly random part of a doubling ceiling, so that a thousand devices that lost
 * the same broker do not return in the same second.
 */
export class Backoff {
  #failures = 0;
  readonly #baseMs: number;
  readonly #capMs: number;

  constructor(baseMs = 500, capMs = 30_000) {
    this.#baseMs = baseMs;
    this.#capMs = capMs;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    return Math.random() * Math.min(this.#capMs, this.#baseMs * 2 ** this.#failures++);
  }

  reset(): void {
    this.#failures = 0;
  }
}
