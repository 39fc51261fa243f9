import { chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { runChild, startChild, type Child } from './child.ts';
import { installStubExtensions } from './extensions.ts';
import { messageOf, StackFailure } from './failure.ts';
import { postgresHome } from './paths.ts';
import { databaseUser, placeDatabase, type DatabaseFolders } from './reach.ts';

export interface PostgresOptions {
  dataDir: string;
  port: number;
  /** Password of the superuser `supabase_admin`. */
  password: string;
  /** Off only for throw-away test clusters; the stack keeps what it acknowledged through a power cut. */
  fsync?: boolean;
  signal?: AbortSignal | undefined;
}

export interface Postgres {
  /** One sentence for the person when the cluster had to be placed outside the data folder. */
  readonly moved: string | undefined;
  readonly child: Child;
  url(role: string, database?: string): string;
  stop(): Promise<void>;
}

const SETTINGS: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  work_mem: '16MB',
  max_wal_size: '2GB',
  wal_compression: 'on',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  // Short statements only: compiling them costs more than it saves.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  log_line_prefix: '%m [%p] %u@%d ',
  password_encryption: 'scram-sha-256',
};

/** Starts the embedded Postgres 17, making its cluster first when the data folder has none. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const folders = placeDatabase(options.dataDir, postgresHome());
  installStubExtensions(folders.home);
  await initialise(folders, options);
  await stopLeftover(folders);
  const settings = { ...SETTINGS, port: String(options.port), fsync: options.fsync === false ? 'off' : 'on' };
  const child = startChild({
    command: join(folders.home, 'bin/postgres'),
    args: [
      '-D',
      folders.cluster,
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    env: cleanEnv(),
    cwd: '/',
    logFile: join(options.dataDir, 'logs/postgres.log'),
    ...databaseUser(),
  });
  const url = (role: string, database = 'postgres'): string =>
    `postgresql://${role}:${options.password}@127.0.0.1:${options.port}/${database}`;
  await untilReady(child, url('supabase_admin'));
  // SIGINT is Postgres' "fast" shutdown: it ends sessions instead of waiting for them.
  return { moved: folders.moved, child, url, stop: () => child.stop('SIGINT', 6000) };
}

/** No locale and no `PG*` variable of the caller may change how the cluster behaves. */
const cleanEnv = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' });

async function initialise(folders: DatabaseFolders, options: PostgresOptions): Promise<void> {
  const done = join(folders.cluster, 'PG_VERSION');
  const complete = join(folders.cluster, 'global/pg_control');
  if (existsSync(done) && existsSync(complete)) return;
  const passwordFile = `${folders.cluster}.password`;
  const user = databaseUser();
  rmSync(folders.cluster, { recursive: true, force: true });
  placeDatabase(options.dataDir, postgresHome());
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (user.uid !== undefined) chownSync(passwordFile, user.uid, user.uid);
  try {
    await runChild(
      {
        command: join(folders.home, 'bin/initdb'),
        args: [
          ...['-D', folders.cluster, '--username=supabase_admin', `--pwfile=${passwordFile}`],
          ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'],
          ...(options.fsync === false ? ['--no-sync'] : []),
        ],
        env: cleanEnv(),
        cwd: '/',
        logFile: join(options.dataDir, 'logs/postgres.log'),
        ...user,
      },
      options.signal,
    );
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new StackFailure(`The database could not be created: ${messageOf(error)}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** A stack that was killed leaves its Postgres running on this cluster; the folder is locked by us now. */
async function stopLeftover(folders: DatabaseFolders): Promise<void> {
  const file = join(folders.cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!isPostgresOf(pid, folders.cluster)) {
    rmSync(file);
    return;
  }
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + 15_000;
  while (isPostgresOf(pid, folders.cluster)) {
    if (Date.now() > deadline)
      throw new StackFailure(`An older Postgres (pid ${pid}) still uses ${folders.cluster}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isPostgresOf(pid: number, cluster: string): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Without /proc (macOS) the living pid is all there is to go by.
  const commandLine = `/proc/${pid}/cmdline`;
  return (
    !existsSync('/proc') || (existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes(cluster))
  );
}

async function untilReady(child: Child, url: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('select 1');
      return;
    } catch (error) {
      if (!child.isRunning()) throw new StackFailure(`Postgres did not start: ${child.tail(4)}`);
      if (Date.now() > deadline) {
        await child.stop('SIGQUIT', 1000);
        throw new StackFailure(`Postgres does not answer: ${messageOf(error)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 40));
    } finally {
      await client.end().catch(() => {});
    }
  }
}
