import { readUpdateNews, type UpdateNews } from './job-news.ts';
import { STATE_WORDS } from '#lib/firmware/update-words.ts';

/** What the device on the screen says about its update, since the page opened. */
export class DeviceUpdate {
  #news = $state.raw<UpdateNews | null>(null);
  #steps = $state(0);
  #onstep: () => void;

  /** `onstep`: it began, ended or went a step further; a growing percentage is none. */
  constructor(onstep: () => void) {
    this.#onstep = onstep;
  }

  /** The last news; null when there was none. */
  get news(): UpdateNews | null {
    return this.#news;
  }

  /** Counts steps, for lists that want to be asked for again. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether it is at it right now. */
  get running(): boolean {
    return this.#news !== null && STATE_WORDS[this.#news.state].group === 'working';
  }

  hear(payload: unknown): void {
    const news = readUpdateNews(payload);
    if (!news) return;
    const last = this.#news;
    this.#news = news;
    if (last && last.jobId === news.jobId && last.state === news.state) return;
    this.#steps += 1;
    this.#onstep();
  }
}
