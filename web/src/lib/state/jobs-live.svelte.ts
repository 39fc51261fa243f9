import type { OtaJob } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { connectivity } from './connectivity.svelte.ts';

const EVERY_MS = 5000;

/** The jobs of a list. Asked for again while one of them may still change, and somebody looks. */
export class JobsLive {
  #jobs = $state.raw<readonly OtaJob[]>([]);
  #fetch: () => Promise<readonly OtaJob[]>;
  #subscribe = createSubscriber(() => {
    const timer = setInterval(() => void this.look(), EVERY_MS);
    return () => clearInterval(timer);
  });

  constructor(first: readonly OtaJob[], fetch: () => Promise<readonly OtaJob[]>) {
    this.#jobs = first;
    this.#fetch = fetch;
  }

  get current(): readonly OtaJob[] {
    this.#subscribe();
    return this.#jobs;
  }

  async look(): Promise<void> {
    const open = this.#jobs.some(({ state }) => state === 'running' || state === 'scheduled');
    if (!open || !connectivity.visible || !connectivity.online) return;
    try {
      this.#jobs = await this.#fetch();
    } catch {
      // The list stays as it was; the next look comes in five seconds.
    }
  }
}
