import { chmodSync, mkdirSync } from 'node:fs';
import pg from 'pg';
import type { PartName } from '../../stack/options.ts';
import { startStack, type Facts } from '../../stack/testing.ts';
import { describeSettings } from './database.ts';

/** The whole local stack as it ships, for benches that ask it from outside. */
export interface Product {
  readonly facts: Facts;
  /** As superuser. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<pg.QueryResult<Row>>;
  conditions(): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

export interface ProductOptions {
  dataDir: string;
  portBase: number;
  only: PartName[];
  env?: NodeJS.ProcessEnv;
}

export async function startProduct({ dataDir, portBase, only, env }: ProductOptions): Promise<Product> {
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o755);
  const stack = await startStack({ dataDir, portBase, only, ...(env ? { env } : {}) });
  const db = new pg.Client({
    connectionString: stack.facts.db_url!.replace('//postgres:', '//supabase_admin:'),
    application_name: 'ec-bench',
  });
  await db.connect();
  return {
    facts: stack.facts,
    query: (sql, values = []) => db.query(sql, values),
    conditions: () => describeSettings((sql, values) => db.query(sql, values)),
    async stop() {
      await db.end();
      await stack.stop();
    },
  };
}
