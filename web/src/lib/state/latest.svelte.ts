/**
 * A streamed value of `load` that changes while the page stays: what was last shown remains until its successor has
 * arrived, and only the newest one counts. Create it while a component is set up.
 */
export class Latest<T> {
  #value = $state.raw<T | null>(null);
  #pending = $state(false);

  constructor(read: () => T | Promise<T>) {
    const first = read();
    if (!(first instanceof Promise)) this.#value = first;
    $effect.pre(() => this.#follow(read()));
  }

  /** Null before the first one arrived. */
  get value(): T | null {
    return this.#value;
  }

  /** A newer one is on its way. */
  get pending(): boolean {
    return this.#pending;
  }

  #follow(next: T | Promise<T>): (() => void) | undefined {
    if (!(next instanceof Promise)) {
      this.#value = next;
      this.#pending = false;
      return;
    }
    let current = true;
    this.#pending = true;
    void next.then((value) => {
      if (!current) return;
      this.#value = value;
      this.#pending = false;
    });
    return () => (current = false);
  }
}
