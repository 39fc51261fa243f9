import type { OtaJob, OtaJobDevice } from '@edgeconductor/sdk';
import { createSubscriber, SvelteMap } from 'svelte/reactivity';
import { readJobNews, type DeviceStep } from './job-news.ts';
import type { LiveHub } from './live-hub.svelte.ts';

const SOON_MS = 1500;

export interface JobDoors {
  fetchJob(): Promise<OtaJob>;
  /** Something happened that messages do not carry whole: rows that a filter shows, the timeline. */
  onChange(): void;
}

/**
 * One job as it goes on. Counts and steps of single devices come with each message; the rest (counts of each stage,
 * failures) is asked for soon after, once for many messages.
 */
export class JobLive {
  #job = $state.raw() as OtaJob;
  #steps = new SvelteMap<string, DeviceStep>();
  #doors: JobDoors;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #subscribe: () => void;

  constructor(first: OtaJob, hub: Pick<LiveHub, 'watch'>, doors: JobDoors) {
    this.#job = first;
    this.#doors = doors;
    this.#subscribe = createSubscriber(() => {
      const leave = hub.watch(`job:${first.id}`, {
        event: (name, payload) => this.hear(name, payload),
        poll: () => this.refresh(),
      });
      return () => {
        leave();
        clearTimeout(this.#soon);
        this.#soon = undefined;
      };
    });
  }

  get current(): OtaJob {
    this.#subscribe();
    return this.#job;
  }

  /** A row with what happened since it was fetched. */
  row(fetched: OtaJobDevice): OtaJobDevice {
    const step = this.#steps.get(fetched.serial);
    if (!step || step.at < (Date.parse(fetched.changed_at ?? '') || 0)) return fetched;
    const { state, percent, reason, attempt } = step;
    return { ...fetched, state, percent, reason, attempt, changed_at: new Date(step.at).toISOString() };
  }

  /** Takes what an action answered. */
  adopt(job: OtaJob): void {
    this.#job = job;
    this.#later();
  }

  async refresh(): Promise<void> {
    this.#job = await this.#doors.fetchJob();
    this.#doors.onChange();
  }

  hear(name: string, payload: unknown): void {
    const news = name === 'job' ? readJobNews(payload) : null;
    if (!news || news.id !== this.#job.id) return;
    const { state, stage, soaking_since, abort_reason, counts } = news;
    this.#job = { ...this.#job, state, stage, soaking_since, abort_reason, counts };
    for (const step of news.changed)
      if (step.at >= (this.#steps.get(step.serial)?.at ?? 0)) this.#steps.set(step.serial, step);
    this.#later();
  }

  #later(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      // The next message, or the next poll, asks again.
      this.refresh().catch(() => undefined);
    }, SOON_MS);
  }
}
