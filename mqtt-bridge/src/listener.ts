import { openConnection, type Connection } from './db.ts';
import { errorText, type Log } from './log.ts';

export interface ListenerOptions {
  url: string;
  channels: string[];
  name: string;
  log: Log;
  onNotify(payload: string, channel: string): void;
  /** After every (re)connect: notifications sent meanwhile are lost, so catch up from the tables here. */
  onReady(): void;
}

/** LISTEN over a connection of its own; reconnects for ever. */
export class Listener {
  readonly #o: ListenerOptions;
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopped = false;

  constructor(options: ListenerOptions) {
    this.#o = options;
  }

  /** Returns after the first attempt; when that failed it goes on trying in the background. */
  async start(): Promise<void> {
    try {
      const connection = await openConnection({
        url: this.#o.url,
        name: this.#o.name,
        onNotify: (channel, payload) => this.#o.onNotify(payload, channel),
        onLost: (error) => this.#again(error),
      });
      if (this.#stopped) return await connection.close();
      this.#connection = connection;
      for (const channel of this.#o.channels) await connection.query(`listen ${channel}`);
    } catch (error) {
      await this.#connection?.close();
      return this.#again(error);
    }
    this.#failures = 0;
    this.#o.onReady();
  }

  #again(error: unknown): void {
    this.#connection = undefined;
    if (this.#stopped) return;
    const delay = Math.min(250 * 2 ** this.#failures++, 5_000);
    const { channels, log } = this.#o;
    log('warn', 'LISTEN connection lost', { channels, error: errorText(error), retry_ms: delay });
    this.#timer = setTimeout(() => void this.start(), delay);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#connection?.close();
  }
}
