import type { Device } from '@edgeconductor/sdk';

const PAUSE_MS = 150;

/** Devices that match what is being typed; the newest question wins. */
export class Finder {
  #query = $state('');
  #devices = $state.raw<readonly Device[]>([]);
  #searching = $state(false);
  #asked = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #search: (q: string) => Promise<Device[]>;

  constructor(search: (q: string) => Promise<Device[]>) {
    this.#search = search;
  }

  get query(): string {
    return this.#query;
  }

  get devices(): readonly Device[] {
    return this.#devices;
  }

  get searching(): boolean {
    return this.#searching;
  }

  ask(query: string): void {
    this.#query = query;
    clearTimeout(this.#pause);
    const asked = ++this.#asked;
    const q = query.trim();
    if (!q) {
      this.#devices = [];
      this.#searching = false;
      return;
    }
    this.#searching = true;
    this.#pause = setTimeout(() => void this.#run(q, asked), PAUSE_MS);
  }

  async #run(q: string, asked: number): Promise<void> {
    // A failed search finds nothing; the pages above stay usable.
    const found = await this.#search(q).catch(() => []);
    if (asked !== this.#asked) return;
    this.#devices = found;
    this.#searching = false;
  }
}
