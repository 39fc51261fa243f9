import { settle, type Loaded } from '#lib/problem.ts';
import { Latest } from './latest.svelte.ts';

/**
 * A streamed value of `load` that is also asked for again while the page stays. A newer load wins over an answer that
 * was under way, and a failure takes nothing away. Create it while a component is set up.
 */
export class Renewed<T> {
  #latest: Latest<Loaded<T>>;
  #renewed = $state.raw<{ of: Loaded<T> | null; value: Loaded<T> } | null>(null);
  #fetch: () => Promise<T>;
  #busy = false;

  constructor(read: () => Loaded<T> | Promise<Loaded<T>>, fetch: () => Promise<T>) {
    this.#latest = new Latest(read);
    this.#fetch = fetch;
  }

  /** Null before the first one arrived. */
  get value(): Loaded<T> | null {
    const loaded = this.#latest.value;
    return this.#renewed && this.#renewed.of === loaded ? this.#renewed.value : loaded;
  }

  /** Another one is being loaded, because the address changed. */
  get pending(): boolean {
    return this.#latest.pending;
  }

  async renew(): Promise<void> {
    const of = this.#latest.value;
    if (this.#busy || this.#latest.pending) return;
    this.#busy = true;
    const value = await settle(this.#fetch());
    this.#busy = false;
    if (value.data !== null && of === this.#latest.value) this.#renewed = { of, value };
  }
}
