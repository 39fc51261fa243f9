import { Backoff } from '../backoff.ts';
import type { Flash } from './flash.ts';
import type { UpdateReport } from './order.ts';

/** Says what a device has to say about updates until it was heard: in order, across cuts and restarts. */
export class Reports {
  readonly #flash: Flash;
  readonly #send: (report: UpdateReport) => Promise<void>;
  readonly #backoff = new Backoff();
  #sending: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(flash: Flash, send: (report: UpdateReport) => Promise<void>) {
    this.#flash = flash;
    this.#send = send;
  }

  /** Progress nobody heard of yet is overtaken by what comes after it; a last word never is. */
  say(report: UpdateReport): void {
    this.#flash.write(({ unheard }) => {
      const old = unheard.findLastIndex(({ state }) => state === report.state && state === 'downloading');
      if (old >= 0) unheard.splice(old, 1);
      unheard.push(report);
    });
    this.wake();
  }

  /** There is a way out. */
  wake(): void {
    this.#stopped = false;
    clearTimeout(this.#retry);
    this.#sending ??= this.#all().finally(() => (this.#sending = undefined));
  }

  /** Resolves when everything was heard or cannot be for now. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  async #all(): Promise<void> {
    for (;;) {
      const [report] = this.#flash.content.unheard;
      if (!report || this.#stopped) return;
      try {
        await this.#send(report);
      } catch {
        if (!this.#stopped) this.#retry = setTimeout(() => this.wake(), this.#backoff.next());
        return;
      }
      this.#backoff.reset();
      this.#flash.write(({ unheard }) => {
        const at = unheard.indexOf(report);
        if (at >= 0) unheard.splice(at, 1);
      });
    }
  }
}
