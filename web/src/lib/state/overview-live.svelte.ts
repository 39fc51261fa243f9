import type { OrgOverview } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { connectivity } from './connectivity.svelte.ts';

const EVERY_MS = 30_000;
const SOON_MS = 1_000;

/** Counts, exceptions, rooms and activity of an org: fetched again every half minute, and soon after a hint. */
export class OverviewLive {
  #value = $state.raw() as OrgOverview;
  #fetch: () => Promise<OrgOverview>;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #subscribe = createSubscriber(() => {
    const timer = setInterval(() => void this.#refresh(), EVERY_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(this.#soon);
      this.#soon = undefined;
    };
  });

  constructor(first: OrgOverview, fetch: () => Promise<OrgOverview>) {
    this.#value = first;
    this.#fetch = fetch;
  }

  get current(): OrgOverview {
    this.#subscribe();
    return this.#value;
  }

  /** Something changed; many hints within a second are one request. */
  hint = (): void => {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#refresh();
    }, SOON_MS);
  };

  async #refresh(): Promise<void> {
    if (!connectivity.visible || !connectivity.online) return;
    try {
      this.#value = await this.#fetch();
    } catch {
      // The last overview stays; the live indicator says that nobody answers.
    }
  }
}
