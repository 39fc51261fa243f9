import { errorText, type Log } from './log.ts';

const BUSY_MS = 500;
/** Nobody looks: how long until a new lease is noticed when its notification got lost. */
const IDLE_MS = 5_000;

/** Sends what screens were spared, every 500 ms while anybody looks, and next to nothing otherwise. */
export class LiveSweep {
  readonly #sweep: () => Promise<number>;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #running: Promise<void> | undefined;
  #stopped = true;

  /** `sweep` returns the number of live leases. */
  constructor(sweep: () => Promise<number>, log: Log) {
    this.#sweep = sweep;
    this.#log = log;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Somebody began to look. */
  wake(): void {
    if (this.#stopped || this.#busy) return;
    clearTimeout(this.#timer);
    this.#running ??= this.#once().finally(() => (this.#running = undefined));
  }

  async #once(): Promise<void> {
    try {
      this.#busy = (await this.#sweep()) > 0;
    } catch (error) {
      this.#busy = false;
      this.#log('warn', 'live sweep failed', { error: errorText(error) });
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(
      () => {
        this.#busy = false;
        this.wake();
      },
      this.#busy ? BUSY_MS : IDLE_MS,
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
