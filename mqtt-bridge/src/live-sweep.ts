import { errorText, type Log } from './log.ts';

const BUSY_MS = 500;
/** Nobody looks: how long until a new lease is noticed. Asking costs one look at an empty table. */
const IDLE_MS = 2_000;

/** Sends what screens were spared: every 500 ms while anybody looks, and next to nothing otherwise. */
export class LiveSweep {
  readonly #sweep: () => Promise<number>;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = true;

  /** `sweep` returns the number of live leases. */
  constructor(sweep: () => Promise<number>, log: Log) {
    this.#sweep = sweep;
    this.#log = log;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#next();
  }

  #next(): void {
    this.#running = this.#once().finally(() => (this.#running = undefined));
  }

  async #once(): Promise<void> {
    let leases = 0;
    try {
      leases = await this.#sweep();
    } catch (error) {
      this.#log('warn', 'live sweep failed', { error: errorText(error) });
    }
    if (!this.#stopped) this.#timer = setTimeout(() => this.#next(), leases > 0 ? BUSY_MS : IDLE_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
