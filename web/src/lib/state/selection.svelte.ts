import { SvelteMap } from 'svelte/reactivity';

/** Rows somebody ticked, by key; kept while they turn the pages of the same table. */
export class Selection<T> {
  #chosen = new SvelteMap<string, T>();

  get size(): number {
    return this.#chosen.size;
  }

  get items(): T[] {
    return [...this.#chosen.values()];
  }

  get keys(): string[] {
    return [...this.#chosen.keys()];
  }

  has(key: string): boolean {
    return this.#chosen.has(key);
  }

  set(key: string, item: T, wanted: boolean): void {
    if (wanted) this.#chosen.set(key, item);
    else this.#chosen.delete(key);
  }

  /** Whether all, some or none of these are ticked: what a header's box shows. */
  of(keys: readonly string[]): 'all' | 'some' | 'none' {
    const count = keys.filter((key) => this.#chosen.has(key)).length;
    if (count === 0) return 'none';
    return count === keys.length ? 'all' : 'some';
  }

  clear(): void {
    this.#chosen.clear();
  }
}
