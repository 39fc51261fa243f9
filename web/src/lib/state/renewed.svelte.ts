import { settle, type Loaded } from '#lib/problem.ts';

/** What `load` brought, as `Latest` follows it. */
interface Source<T> {
  readonly value: Loaded<T> | null;
  readonly pending: boolean;
}

/**
 * A streamed value of `load` that is also asked for again while the page stays. A newer load wins over an answer that
 * was under way, and a failure takes nothing away.
 */
export class Renewed<T> {
  #source: Source<T>;
  #renewed = $state.raw<{ of: Loaded<T> | null; value: Loaded<T> } | null>(null);
  #fetch: () => Promise<T>;
  #busy = false;
  #again = false;

  constructor(source: Source<T>, fetch: () => Promise<T>) {
    this.#source = source;
    this.#fetch = fetch;
  }

  /** Null before the first one arrived. */
  get value(): Loaded<T> | null {
    const loaded = this.#source.value;
    return this.#renewed && this.#renewed.of === loaded ? this.#renewed.value : loaded;
  }

  /** Another one is being loaded, because the address changed. */
  get pending(): boolean {
    return this.#source.pending;
  }

  /** Asks again; wishes while an answer is on its way are one more question, after it. */
  async renew(): Promise<void> {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#again && !this.#source.pending) {
      this.#again = false;
      const of = this.#source.value;
      const value = await settle(this.#fetch());
      if (value.data !== null && of === this.#source.value) this.#renewed = { of, value };
    }
    this.#busy = false;
  }
}
