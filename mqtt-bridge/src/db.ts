import pg from 'pg';
import { errorText, type Log } from './log.ts';

/** What the SQL files need from a connection; the tests hand in fakes. */
export interface Queryable {
  /** `name` makes it a prepared statement of that connection: parsed and planned once. */
  query<R extends object>(text: string, values?: unknown[], name?: string): Promise<R[]>;
}

export interface DatabaseOptions {
  max: number;
  name: string;
  log: Log;
  /** After this a connection is given up. The server may still commit: callers must be able to repeat. */
  timeoutMs?: number;
}

/** A small pool. `search_path` never matters: every statement of the bridge names its schema. */
export class Database implements Queryable {
  readonly #pool: pg.Pool;

  constructor(url: string, options: DatabaseOptions) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: options.max,
      application_name: options.name,
      connectionTimeoutMillis: 5_000,
      // A server that vanished without a FIN must not hold acknowledgements for ever.
      query_timeout: options.timeoutMs ?? 30_000,
      idleTimeoutMillis: 0,
      keepAlive: true,
    });
    // Without a listener an idle connection that breaks would end the process.
    this.#pool.on('error', (error) =>
      options.log('warn', 'idle database connection lost', { error: errorText(error) }),
    );
  }

  async query<R extends object>(text: string, values: unknown[] = [], name?: string): Promise<R[]> {
    return (await this.#pool.query<R>(name === undefined ? { text, values } : { name, text, values })).rows;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

export interface ConnectionOptions {
  url: string;
  name: string;
  onNotify?(channel: string, payload: string): void;
  /** Once, when the connection broke by itself. */
  onLost(error: unknown): void;
}

export interface Connection extends Queryable {
  close(): Promise<void>;
}

/** One connection for state that lives in a session (LISTEN, advisory locks); notices a peer that went silent. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: options.name,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    keepAlive: true,
  });
  let ended = false;
  let probe: NodeJS.Timeout | undefined;
  const end = async (): Promise<void> => {
    ended = true;
    clearInterval(probe);
    await client.end().catch(() => {}); // closing a broken connection is closing enough
  };
  const lost = (error: unknown): void => {
    if (ended) return;
    void end();
    options.onLost(error);
  };
  client.on('error', lost);
  client.on('end', () => lost(new Error('connection closed by the server')));
  client.on('notification', ({ channel, payload }) => options.onNotify?.(channel, payload ?? ''));
  try {
    await client.connect();
  } catch (error) {
    await end();
    throw error;
  }
  // A half-open socket delivers no notification and no error: ask now and then.
  probe = setInterval(() => {
    client.query('select 1').catch(lost);
  }, 10_000);
  return {
    close: end,
    async query<R extends object>(text: string, values: unknown[] = []): Promise<R[]> {
      return (await client.query<R>(text, values)).rows;
    },
  };
}

/** The five characters of an error Postgres itself raised, or undefined for sockets, timeouts and bugs. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** True when these very values can never be stored: trying them again changes nothing. */
export function isDataError(error: unknown): boolean {
  const state = sqlState(error);
  if (state === undefined) return false;
  return /^(21|22|23)/.test(state) || state === '54001' || state.startsWith('EC4');
}

/** True when the server, not the data, is the trouble: out of reach, restarting, overloaded, deadlocked. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || /^(08|25|28|3D|40|53|55|57|58)/.test(state);
}
