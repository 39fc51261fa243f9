import type { OtaJob, OtaJobDevice } from '@edgeconductor/sdk';
import { createSubscriber, SvelteMap } from 'svelte/reactivity';
import { readJobNews, type DeviceStep } from './job-news.ts';
import type { LiveHub } from './live-hub.svelte.ts';

/** Counts and single devices come with the messages: the rest may be half a dozen seconds old. */
const SOON_MS = 6000;
/** Unless the job itself took a turn. */
const AT_ONCE_MS = 500;

export interface JobDoors {
  fetchJob(): Promise<OtaJob>;
  /** Something happened that messages do not carry whole. `turned`: to the job itself, not only to devices. */
  onChange(turned: boolean): void;
}

/**
 * One job as it goes on. Counts and steps of single devices come with each message; the rest (counts of each stage,
 * failures) is asked for soon after, once for many messages.
 */
export class JobLive {
  #job = $state.raw() as OtaJob;
  #steps = new SvelteMap<string, DeviceStep>();
  #doors: JobDoors;
  #soon: { timer: ReturnType<typeof setTimeout>; turned: boolean } | undefined;
  #subscribe: () => void;

  constructor(first: OtaJob, hub: Pick<LiveHub, 'watch'>, doors: JobDoors) {
    this.#job = first;
    this.#doors = doors;
    this.#subscribe = createSubscriber(() => {
      const leave = hub.watch(`job:${first.id}`, {
        event: (name, payload) => this.hear(name, payload),
        poll: () => this.refresh(true),
      });
      return () => {
        leave();
        clearTimeout(this.#soon?.timer);
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
    this.#later(true);
  }

  async refresh(turned: boolean): Promise<void> {
    this.#job = await this.#doors.fetchJob();
    this.#doors.onChange(turned);
  }

  hear(name: string, payload: unknown): void {
    const news = name === 'job' ? readJobNews(payload) : null;
    if (!news || news.id !== this.#job.id) return;
    const { state, stage, soaking_since, abort_reason, counts } = news;
    const before = this.#job;
    const turned = before.state !== state || before.stage !== stage || before.soaking_since !== soaking_since;
    this.#job = { ...before, state, stage, soaking_since, abort_reason, counts };
    for (const step of news.changed)
      if (step.at >= (this.#steps.get(step.serial)?.at ?? 0)) this.#steps.set(step.serial, step);
    this.#later(turned);
  }

  #later(turned: boolean): void {
    if (this.#soon && (this.#soon.turned || !turned)) return;
    clearTimeout(this.#soon?.timer);
    const ask = (): void => {
      this.#soon = undefined;
      // The next message, or the next poll, asks again.
      this.refresh(turned).catch(() => undefined);
    };
    this.#soon = { turned, timer: setTimeout(ask, turned ? AT_ONCE_MS : SOON_MS) };
  }
}
