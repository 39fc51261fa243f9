import { settle, type Loaded, type Problem } from '#lib/problem.ts';

export interface LogPage<T> {
  items: T[];
  /** Cursor of the next older page, null at the end. */
  next: string | null;
}

/** A list that grows at both ends: older pages when somebody asks, newer entries when they happen. Newest first. */
export class PagedLog<T extends { id: string | number }> {
  #items = $state.raw<readonly T[]>([]);
  #next = $state<string | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #loading = $state(false);
  #refreshing = false;
  #stale = false;
  #read: (after: string | null) => PromiseLike<LogPage<T>>;

  constructor(first: Loaded<LogPage<T>>, read: (after: string | null) => PromiseLike<LogPage<T>>) {
    this.#read = read;
    if (first.problem) this.#problem = first.problem;
    else {
      this.#items = first.data.items;
      this.#next = first.data.next;
    }
  }

  get items(): readonly T[] {
    return this.#items;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  get loading(): boolean {
    return this.#loading;
  }

  /** Why the last page could not be read. */
  get problem(): Problem | null {
    return this.#problem;
  }

  async older(): Promise<void> {
    if (this.#loading || this.#next === null) return;
    this.#loading = true;
    const { data, problem } = await settle(this.#read(this.#next));
    this.#loading = false;
    this.#problem = problem;
    if (!data) return;
    const known = new Set(this.#items.map(({ id }) => id));
    this.#items = [...this.#items, ...data.items.filter(({ id }) => !known.has(id))];
    this.#next = data.next;
  }

  /** The newest page again: entries that changed are replaced, new ones come in front. */
  async refresh(): Promise<void> {
    // News often come in a row: whoever asks meanwhile is answered by one more reading, not by one each.
    this.#stale = true;
    if (this.#refreshing) return;
    this.#refreshing = true;
    while (this.#stale) {
      this.#stale = false;
      const { data, problem } = await settle(this.#read(null));
      this.#problem = problem;
      if (data) this.#takeNewest(data);
    }
    this.#refreshing = false;
  }

  #takeNewest(data: LogPage<T>): void {
    const known = new Set(this.#items.map(({ id }) => id));
    const overlaps = data.items.some(({ id }) => known.has(id));
    // More happened than fits a page: what is between would be missing unseen.
    if (!overlaps) this.#next = data.next;
    const rest = overlaps ? this.#items : [];
    const fresh = new Map(data.items.map((item) => [item.id, item]));
    this.#items = [...data.items, ...rest.filter(({ id }) => !fresh.has(id))];
  }

  /** One entry as it is now; one nobody knew comes in front. */
  put(item: T): void {
    const known = this.#items.some(({ id }) => id === item.id);
    this.#items = known
      ? this.#items.map((one) => (one.id === item.id ? item : one))
      : [item, ...this.#items];
  }
}
