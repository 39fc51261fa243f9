interface Window {
  count: number;
  endsAt: number;
}

/** Counts failures per key in fixed windows: a six-digit code must not be guessable by trying. */
export class Attempts {
  readonly #windows = new Map<string, Window>();
  readonly #limit: number;
  readonly #windowMs: number;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Seconds to wait, or 0 when another attempt is allowed. */
  waitSeconds(key: string, now = Date.now()): number {
    const window = this.#windows.get(key);
    if (!window || window.endsAt <= now || window.count < this.#limit) return 0;
    return Math.ceil((window.endsAt - now) / 1000);
  }

  failed(key: string, now = Date.now()): void {
    if (this.#windows.size > 10_000) this.#forgetOld(now);
    const window = this.#windows.get(key);
    if (window && window.endsAt > now) window.count += 1;
    else this.#windows.set(key, { count: 1, endsAt: now + this.#windowMs });
  }

  succeeded(key: string): void {
    this.#windows.delete(key);
  }

  #forgetOld(now: number): void {
    for (const [key, window] of this.#windows) if (window.endsAt <= now) this.#windows.delete(key);
  }
}
