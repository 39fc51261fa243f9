import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareDatabase, setLoginPasswords } from './database.ts';
import { migrate } from './migrate.ts';
import { startPostgres } from './postgres.ts';
import { loadSecrets } from './secrets.ts';

/** What a test process needs to reach the cluster that another process started. */
export interface TestCluster {
  port: number;
  password: string;
  jwtSecret: string;
}

/** A throw-away Postgres whose database `postgres` holds all migrations: the template of every test database. */
export async function startTestCluster(): Promise<{
  cluster: TestCluster;
  dataDir: string;
  stop(): Promise<void>;
}> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ec-test-db-'));
  chmodSync(dataDir, 0o755);
  const secrets = loadSecrets(dataDir);
  const port = await freePort();
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true });
  try {
    const postgres = await startPostgres({ dataDir, port, password: secrets.dbPassword, fsync: false });
    const stop = async (): Promise<void> => {
      await postgres.stop();
      remove();
    };
    try {
      await prepareDatabase(postgres, secrets);
      await migrate(postgres.url('postgres'), join(dataDir, 'logs/migrate.log'));
      await setLoginPasswords(postgres, secrets);
    } catch (error) {
      await stop();
      throw error;
    }
    return { dataDir, cluster: { port, password: secrets.dbPassword, jwtSecret: secrets.jwtSecret }, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
