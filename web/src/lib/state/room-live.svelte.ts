import type { RoomClimate } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { connectivity } from './connectivity.svelte.ts';

const EVERY_MS = 15_000;

/** A tenant's room. Its climate changes slowly and tenants have no live topic: a look every 15 seconds is live. */
export class RoomLive {
  #room = $state.raw() as RoomClimate;
  #fetch: () => Promise<RoomClimate>;
  #subscribe = createSubscriber(() => {
    const timer = setInterval(() => void this.#look(), EVERY_MS);
    return () => clearInterval(timer);
  });

  constructor(first: RoomClimate, fetch: () => Promise<RoomClimate>) {
    this.#room = first;
    this.#fetch = fetch;
  }

  get current(): RoomClimate {
    this.#subscribe();
    return this.#room;
  }

  async #look(): Promise<void> {
    if (!connectivity.visible || !connectivity.online) return;
    try {
      this.#room = await this.#fetch();
    } catch {
      // The old reading stays and turns grey by its age.
    }
  }
}
