import type { Device } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { connectivity } from './connectivity.svelte.ts';

const EVERY_MS = 3000;

/** Waits for the first device of an org and for its first packet, while somebody watches the checklist. */
export class FirstRun {
  #device = $state.raw<Device | null>(null);
  #fetch: () => Promise<Device | null>;
  #subscribe = createSubscriber(() => {
    const timer = setInterval(() => void this.look(), EVERY_MS);
    return () => clearInterval(timer);
  });

  constructor(fetch: () => Promise<Device | null>) {
    this.#fetch = fetch;
  }

  get device(): Device | null {
    this.#subscribe();
    return this.#device;
  }

  get reported(): boolean {
    return this.device?.last_telemetry_at != null;
  }

  async look(): Promise<void> {
    if (!connectivity.visible || !connectivity.online || this.#device?.last_telemetry_at) return;
    try {
      this.#device = await this.#fetch();
    } catch {
      // The next look comes in three seconds.
    }
  }
}
