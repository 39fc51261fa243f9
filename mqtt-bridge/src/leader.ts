import { openConnection, type Connection } from './db.ts';
import { errorText, type Log } from './log.ts';

const RETRY_MS = 1_000;

export interface LeaderOptions {
  url: string;
  /** What there may be only one of, e.g. `ingest`. */
  task: string;
  log: Log;
  /** This process has the task, for the first time or again. */
  onLead(): void;
  /** The session that held the lock is gone; usually the database restarted and `onLead` follows. */
  onUnsure(): void;
  /** Another process took the task over. */
  onFollow(): void;
}

/**
 * Active/standby by a session-level advisory lock. Broker sessions have fixed client ids, so two bridges that
 * both connect would throw each other out for ever. The lock dies with its holder's connection; a standby
 * has it within about a second.
 */
export class Leader {
  readonly #o: LeaderOptions;
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: 'new' | 'leading' | 'unsure' | 'following' = 'new';
  #stopped = false;

  constructor(options: LeaderOptions) {
    this.#o = options;
  }

  get leading(): boolean {
    return this.#state === 'leading';
  }

  get following(): boolean {
    return this.#state === 'following';
  }

  async start(): Promise<void> {
    await this.#attempt();
  }

  async #attempt(): Promise<void> {
    const { url, task, log } = this.#o;
    try {
      this.#connection ??= await this.#open(url, task);
      if (this.#stopped) return await this.#connection.close();
      const [row] = await this.#connection.query<{ got: boolean }>(
        `select pg_try_advisory_lock(hashtext('ec.bridge'), hashtext($1)) as got`,
        [task],
      );
      if (row?.got) {
        this.#state = 'leading';
        log('info', 'leading', { task });
        return this.#o.onLead();
      }
      if (this.#state !== 'following') log('info', 'standing by: another bridge has this task', { task });
      if (this.#state === 'unsure') this.#o.onFollow();
      this.#state = 'following';
    } catch (error) {
      log('warn', 'cannot ask for the lock', { task, error: errorText(error) });
    }
    this.#later();
  }

  async #open(url: string, task: string): Promise<Connection> {
    const connection = await openConnection({
      url,
      name: `ec-bridge-lock-${task}`,
      onLost: (error) => {
        this.#connection = undefined;
        this.#o.log('warn', 'lock connection lost', { task, error: errorText(error) });
        if (this.#state !== 'leading') return; // the next attempt is under way or planned
        this.#state = 'unsure';
        this.#o.onUnsure();
        this.#later(0);
      },
    });
    // A leader whose machine vanished must not keep the lock for the two hours of the default.
    await connection.query('set tcp_keepalives_idle = 10');
    await connection.query('set tcp_keepalives_interval = 5');
    await connection.query('set tcp_keepalives_count = 3');
    return connection;
  }

  #later(delay = RETRY_MS): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#attempt(), delay);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#connection?.close();
  }
}
