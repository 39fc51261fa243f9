import { errorText, type Log } from './log.ts';

/** A fleet that answers at once hints a hundred times a second: what comes meanwhile waits for one look at all of it. */
const GAP_MS = 200;

/**
 * Moves update jobs on when a device is done with its part, so that the next stage does not wait for the half-minute
 * of the schedule. Hints are only hints: the schedule catches what gets lost here.
 */
export class JobAdvance {
  readonly #advance: () => Promise<void>;
  readonly #log: Log;
  #wanted = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(advance: () => Promise<void>, log: Log) {
    this.#advance = advance;
    this.#log = log;
  }

  /** At once, or after the one that runs. */
  wake(): void {
    this.#wanted = true;
    if (this.#stopped || this.#running || this.#timer) return;
    this.#wanted = false;
    this.#running = this.#once().finally(() => {
      this.#running = undefined;
      if (this.#stopped) return;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#wanted) this.wake();
      }, GAP_MS);
    });
  }

  async #once(): Promise<void> {
    try {
      await this.#advance();
    } catch (error) {
      this.#log('warn', 'update jobs wait', { error: errorText(error) });
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
