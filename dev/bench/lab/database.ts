import { join } from 'node:path';
import pg from 'pg';
import { prepareDatabase, setLoginPasswords } from '../../stack/database.ts';
import { migrate } from '../../stack/migrate.ts';
import { startPostgres, type Postgres } from '../../stack/postgres.ts';
import type { Secrets } from '../../stack/secrets.ts';
import { cpuSeconds } from './cpu.ts';

/** What decides whether a committed row survives a power cut, and what the numbers depend on besides. */
const REPORTED = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_level',
  'wal_compression',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'track_commit_timestamp',
] as const;

type Query = <Row extends pg.QueryResultRow>(sql: string, values: unknown[]) => Promise<pg.QueryResult<Row>>;

/** Postgres settings for a result's conditions. */
export async function describeSettings(query: Query): Promise<Record<string, string>> {
  const { rows } = await query<{ name: string; value: string }>(
    `select name, current_setting(name) as value from unnest($1::text[]) name`,
    [REPORTED],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [`postgres ${name}`, value]));
}

/** The stack's own Postgres with every migration, and commit times kept so that latency can be read off. */
export class LabDatabase {
  readonly #options: { dataDir: string; port: number; secrets: Secrets };
  #postgres: Postgres | undefined;
  #client: pg.Client | undefined;

  private constructor(options: { dataDir: string; port: number; secrets: Secrets }) {
    this.#options = options;
  }

  static async start(dataDir: string, port: number, secrets: Secrets): Promise<LabDatabase> {
    const database = new LabDatabase({ dataDir, port, secrets });
    await database.resume();
    await prepareDatabase(database.#running, secrets);
    await migrate(database.url('postgres'), join(dataDir, 'logs/migrate.log'));
    await setLoginPasswords(database.#running, secrets);
    const { rows } = await database.query<{ on: string }>(
      `select current_setting('track_commit_timestamp') as on`,
    );
    if (rows[0]?.on !== 'on') {
      await database.query(`alter system set track_commit_timestamp = on`);
      await database.stop();
      await database.resume();
    }
    return database;
  }

  get #running(): Postgres {
    if (!this.#postgres) throw new Error('the database of the lab does not run');
    return this.#postgres;
  }

  url(role: string): string {
    return this.#running.url(role);
  }

  get pid(): number {
    return this.#running.child.pid;
  }

  get cpuSeconds(): number {
    return this.#postgres ? cpuSeconds(this.pid) : 0;
  }

  /** As superuser, over the lab's one connection. */
  async query<Row extends pg.QueryResultRow>(
    sql: string,
    values: unknown[] = [],
  ): Promise<pg.QueryResult<Row>> {
    if (!this.#client) throw new Error('the database of the lab does not run');
    return this.#client.query<Row>(sql, values);
  }

  /** Starts the server again after `stop` or `crash`; recovers first when it has to. */
  async resume(): Promise<void> {
    const { dataDir, port, secrets } = this.#options;
    this.#postgres = await startPostgres({ dataDir, port, password: secrets.dbPassword });
    this.#client = new pg.Client({
      connectionString: this.url('supabase_admin'),
      application_name: 'ec-bench',
    });
    // The bench itself stops the server; what its idle connection says about that is no news.
    this.#client.on('error', () => undefined);
    await this.#client.connect();
  }

  /** `pg_ctl stop -m immediate`: no shutdown checkpoint, recovery at the next start. */
  async crash(): Promise<void> {
    await this.#end((postgres) => postgres.child.stop('SIGQUIT', 20_000));
  }

  async stop(): Promise<void> {
    await this.#end((postgres) => postgres.stop());
  }

  async #end(how: (postgres: Postgres) => Promise<void>): Promise<void> {
    const postgres = this.#postgres;
    this.#postgres = undefined;
    await this.#client?.end().catch(() => undefined);
    this.#client = undefined;
    if (postgres) await how(postgres);
  }
}
