import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, type Postgres } from '../../../dev/stack/postgres.ts';
import { startTestCluster } from '../../../dev/stack/test-cluster.ts';
import { until } from './until.ts';

/** A migrated Postgres that belongs to one test, which may do to it what it likes. */
export interface OwnCluster {
  url(role: string): string;
  /** `pg_ctl stop -m immediate`: no checkpoint, every session cut. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnCluster(): Promise<OwnCluster> {
  const { cluster, dataDir, stop } = await startTestCluster();
  let again: Postgres | undefined;
  const pidFile = (): string | undefined =>
    readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).find((path) =>
      path.endsWith('postmaster.pid'),
    );
  return {
    url: (role) => `postgresql://${role}:${cluster.password}@127.0.0.1:${cluster.port}/postgres`,
    async crash() {
      const pid = Number(readFileSync(join(dataDir, pidFile() as string), 'utf8').split('\n')[0]);
      process.kill(pid, 'SIGQUIT');
      await until(() => !isAlive(pid), 'Postgres is gone');
    },
    async start() {
      again = await startPostgres({ dataDir, port: cluster.port, password: cluster.password, fsync: false });
    },
    async stop() {
      await again?.stop();
      await stop();
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie waits for its parent's attention only.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
