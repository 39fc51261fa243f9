import { ConnectionError, type Notification } from '@edgeconductor/sdk';
import { readNotification } from '#lib/notifications/read-notification.ts';
import { settle, type Problem } from '#lib/problem.ts';
import type { Watch } from './live-seat.ts';

export interface NotificationPage {
  items: Notification[];
  /** Cursor of the next page; null on the last. */
  next: string | null;
}

/** What the bell needs from outside. All of them may fail. */
export interface BellDoors {
  list(after: string | null): Promise<NotificationPage>;
  countUnread(): Promise<number>;
  markRead(id: string): Promise<unknown>;
  markAllRead(): Promise<unknown>;
}

/** Socket or no socket: how often the number on the bell is asked for at most. */
const COUNT_EVERY_MS = 15_000;

/**
 * An org's notifications as one person sees them. The number is known from the start, the list from the first look.
 * What is marked counts at once and comes back when the service refuses.
 */
export class Bell implements Watch {
  #unread = $state<number | null>(null);
  #items = $state.raw<readonly Notification[] | null>(null);
  #next = $state<string | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #loading = $state(false);
  #newest = $state.raw<Notification | null>(null);
  #countedAt = 0;
  /** Raised by everything that makes an answer under way out of date. */
  #version = 0;
  #doors: BellDoors;

  constructor(doors: BellDoors) {
    this.#doors = doors;
  }

  /** Null until it is known. */
  get unread(): number | null {
    return this.#unread;
  }

  /** Newest first; null before the first look. */
  get items(): readonly Notification[] | null {
    return this.#items;
  }

  get hasOlder(): boolean {
    return this.#next !== null;
  }

  get loading(): boolean {
    return this.#loading;
  }

  /** Of the last thing that was tried. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** What rang last while the page was open, for those who do not see the number change. */
  get newest(): Notification | null {
    return this.#newest;
  }

  /** Somebody looks: what is shown is fetched again, and stays while it is. */
  async look(): Promise<boolean> {
    const loaded = await this.#load(null);
    if (!loaded) return false;
    this.#items = loaded.items;
    this.#next = loaded.next;
    return this.#count();
  }

  async older(): Promise<void> {
    if (this.#next === null) return;
    const loaded = await this.#load(this.#next);
    if (!loaded) return;
    const known = new Set(this.#items?.map(({ id }) => id));
    this.#items = [...(this.#items ?? []), ...loaded.items.filter(({ id }) => !known.has(id))];
    this.#next = loaded.next;
  }

  async markRead(id: string): Promise<boolean> {
    const item = this.#items?.find((one) => one.id === id);
    if (!item || item.read) return true;
    return this.#mark([id], 1, () => this.#doors.markRead(id));
  }

  async markAllRead(): Promise<boolean> {
    const ids = this.#items?.filter(({ read }) => !read).map(({ id }) => id) ?? [];
    return this.#mark(ids, this.#unread ?? 0, () => this.#doors.markAllRead());
  }

  /** Live news; another page of ours may be older than the sender, so what makes no sense is left out. */
  event(name: string, payload: unknown): void {
    const rung = name === 'notification' ? readNotification(payload) : null;
    if (!rung) return;
    this.#version++;
    const before = this.#items?.find(({ id }) => id === rung.id);
    // The same thing again comes up again; it may lie below what is loaded, so the number is asked for.
    if (before ? before.read : rung.times === 1) this.#unread = (this.#unread ?? 0) + 1;
    else if (!before) void this.#count();
    if (this.#items) this.#items = [rung, ...this.#items.filter(({ id }) => id !== rung.id)];
    this.#newest = rung;
  }

  /** Rejects when nobody answers, so that the live indicator can say so. */
  async poll(): Promise<void> {
    if (Date.now() - this.#countedAt < COUNT_EVERY_MS) return;
    const answered = await (this.#items ? this.look() : this.#count());
    if (!answered) throw new ConnectionError('The notifications did not come');
  }

  async #count(): Promise<boolean> {
    const version = this.#version;
    this.#countedAt = Date.now();
    const { data, problem } = await settle(this.#doors.countUnread());
    if (problem) {
      this.#countedAt = 0;
      return false;
    }
    if (version === this.#version) this.#unread = data;
    return true;
  }

  async #load(after: string | null): Promise<NotificationPage | null> {
    const version = ++this.#version;
    this.#loading = true;
    const { data, problem } = await settle(this.#doors.list(after));
    if (version !== this.#version) {
      this.#loading = false;
      // Something rang or was read meanwhile: the answer may not know it yet.
      return after === null ? this.#load(null) : null;
    }
    this.#loading = false;
    this.#problem = problem;
    return data;
  }

  async #mark(ids: string[], count: number, door: () => Promise<unknown>): Promise<boolean> {
    const version = ++this.#version;
    const before = { items: this.#items, unread: this.#unread };
    const marked = new Set(ids);
    this.#items = this.#items?.map((item) => (marked.has(item.id) ? { ...item, read: true } : item)) ?? null;
    if (this.#unread !== null) this.#unread = Math.max(0, this.#unread - count);
    const { problem } = await settle(door());
    if (!problem) return true;
    if (version === this.#version) {
      this.#items = before.items;
      this.#unread = before.unread;
    } else void this.look();
    return false;
  }
}
