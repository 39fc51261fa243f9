import type { RoomClimate, TelemetryBuckets } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { isEmpty } from '#lib/history/series.ts';
import { settle, type Loaded, type Problem } from '#lib/problem.ts';
import { connectivity } from './connectivity.svelte.ts';

const EVERY_MS = 15_000;
const HISTORY_EVERY_MS = 300_000;
/** Somebody who just moved in waits for the first line of the chart. */
const EMPTY_HISTORY_EVERY_MS = 30_000;

/** What was measured over the last day: what the page came with, and how to ask again. */
export interface RoomDay {
  first: Loaded<TelemetryBuckets> | Promise<Loaded<TelemetryBuckets>>;
  fetch: () => Promise<TelemetryBuckets>;
}

/**
 * A tenant's room and its last day. The climate changes slowly and tenants have no live topic: a look every 15 seconds
 * is live. What arrived last stays through every failure, but for one: somebody who moved out sees nothing more.
 */
export class RoomLive {
  #room = $state.raw() as RoomClimate;
  #climate = $state.raw<Loaded<TelemetryBuckets> | null>(null);
  #failure = $state.raw<Problem | null>(null);
  #historyAt = 0;
  #fetchRoom: () => Promise<RoomClimate>;
  #day: RoomDay | undefined;
  #subscribe = createSubscriber(() => {
    const timer = setInterval(() => void this.look(), EVERY_MS);
    // Coming back to the page, or to the network, is a wish to know how it is now.
    const wake = () => void this.look();
    document.addEventListener('visibilitychange', wake);
    window.addEventListener('online', wake);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', wake);
      window.removeEventListener('online', wake);
    };
  });

  constructor(first: RoomClimate, fetchRoom: () => Promise<RoomClimate>, day?: RoomDay) {
    this.#room = first;
    this.#fetchRoom = fetchRoom;
    this.#day = day;
    this.#historyAt = Date.now();
    if (day?.first instanceof Promise) void day.first.then((loaded) => this.#adopt(loaded));
    else this.#climate = day?.first ?? null;
  }

  get current(): RoomClimate {
    this.#subscribe();
    return this.#room;
  }

  /** Null while the first answer is on its way. */
  get climate(): Loaded<TelemetryBuckets> | null {
    return this.#climate;
  }

  /** Why the last look failed; null when it went well. */
  get failure(): Problem | null {
    return this.#failure;
  }

  /** They do not live here any more. */
  get gone(): boolean {
    return this.#failure?.status === 404 || this.#failure?.status === 403;
  }

  async look(): Promise<void> {
    if (!connectivity.visible || !connectivity.online) return;
    const room = await settle(this.#fetchRoom());
    this.#failure = room.problem;
    if (room.data) this.#room = room.data;
    const drawn = this.#climate?.data && !isEmpty(this.#climate.data);
    const every = drawn ? HISTORY_EVERY_MS : EMPTY_HISTORY_EVERY_MS;
    if (room.data && Date.now() - this.#historyAt >= every) await this.#lookBack();
  }

  async #lookBack(): Promise<void> {
    this.#historyAt = Date.now();
    if (this.#day) this.#adopt(await settle(this.#day.fetch()));
  }

  /** A failure does not take away what is drawn. */
  #adopt(loaded: Loaded<TelemetryBuckets>): void {
    if (loaded.data || !this.#climate?.data) this.#climate = loaded;
  }
}
