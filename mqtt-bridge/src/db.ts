import pg from 'pg';
import { errorText, type Log } from './log.ts';

/** What the SQL files need from a connection; the tests hand in fakes. */
export interface Queryable {
  query<R extends object>(text: string, values?: unknown[]): Promise<R[]>;
}

/**
 * A small pool. `search_path` never matters: every statement of the bridge names its schema.
 * @throws whatever Postgres or the socket throws; see `isDataError` for telling them apart.
 */
export class Database implements Queryable {
  readonly #pool: pg.Pool;

  constructor(url: string, options: { max: number; name: string; log: Log; statementTimeoutMs?: number }) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: options.max,
      application_name: options.name,
      connectionTimeoutMillis: 5_000,
      // A server that vanished without a FIN must not hold acknowledgements for ever.
      query_timeout: options.statementTimeoutMs ?? 30_000,
      keepAlive: true,
    });
    // Without a listener an idle connection that breaks would end the process.
    this.#pool.on('error', (error) =>
      options.log('warn', 'idle database connection lost', { error: errorText(error) }),
    );
  }

  async query<R extends object>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.#pool.query<R>(text, values)).rows;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/**
 * SQLSTATE classes that say "this data can never be stored": retrying the same rows changes nothing.
 * Everything else (no SQLSTATE = the socket, 08, 40, 53, 55, 57, 58, XX …) is worth another try.
 */
export function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return false;
  if (code === '54001') return true; // stack depth limit exceeded: nesting, not load
  return code.startsWith('22') || code.startsWith('23') || code.startsWith('21') || code.startsWith('EC4');
}

export interface ListenerOptions {
  url: string;
  channel: string;
  name: string;
  log: Log;
  onNotify(payload: string): void;
  /** After every (re)connect: notifications sent meanwhile are lost, so catch up from the tables here. */
  onReady(): void;
}

/** LISTEN on one channel over a connection of its own; reconnects for ever, and notices a dead peer. */
export class Listener {
  readonly #o: ListenerOptions;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #probe: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopped = false;

  constructor(options: ListenerOptions) {
    this.#o = options;
  }

  /** Resolves when the first LISTEN stands; rejects never (it keeps trying). */
  async start(): Promise<void> {
    await this.#connect();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#o.url,
      application_name: this.#o.name,
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
      keepAlive: true,
    });
    this.#client = client;
    let lost = false;
    const onLost = (error?: unknown): void => {
      if (lost) return;
      lost = true;
      clearInterval(this.#probe);
      client.end().catch(() => {}); // it is already broken; there is nothing to report twice
      if (this.#stopped) return;
      const delay = Math.min(250 * 2 ** this.#failures++, 5_000);
      this.#o.log('warn', 'LISTEN connection lost', {
        channel: this.#o.channel,
        error: error === undefined ? 'closed' : errorText(error),
        retry_ms: delay,
      });
      this.#timer = setTimeout(() => void this.#connect(), delay);
    };
    client.on('error', onLost);
    client.on('end', () => onLost());
    client.on('notification', (message) => this.#o.onNotify(message.payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${pg.escapeIdentifier(this.#o.channel)}`);
    } catch (error) {
      onLost(error);
      return;
    }
    if (this.#stopped) return;
    this.#failures = 0;
    // A half-open socket delivers no notification and no error: ask now and then.
    this.#probe = setInterval(() => client.query('select 1').catch(onLost), 10_000);
    this.#o.onReady();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#probe);
    await this.#client?.end().catch(() => {}); // closing a broken connection is closing enough
  }
}
