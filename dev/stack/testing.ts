import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { killAllChildren } from './child.ts';
import type { Facts } from './facts.ts';
import type { PartName } from './options.ts';
import { binary, root } from './paths.ts';
import { firstTaken, OFFSETS, portsFrom, type PortName } from './ports.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

export type { Facts };

export interface TestDatabase {
  readonly name: string;
  /** The stack's HS256 secret for tokens in tests that verify them. */
  readonly jwtSecret: string;
  /** Connection URL as that role, e.g. `postgres` (migrations' role), `ec_api`, `supabase_admin` (superuser). */
  url(role?: string): string;
  drop(): Promise<void>;
}

let own: Promise<TestCluster> | undefined;

/** The run's cluster (see testing-global.ts), or one of this process, which ends with it. */
function sharedCluster(): Promise<TestCluster> {
  const given = process.env['EC_TEST_CLUSTER'];
  if (given) return Promise.resolve(JSON.parse(given) as TestCluster);
  own ??= startTestCluster().then(({ cluster, dataDir }) => {
    process.on('exit', () => {
      killAllChildren();
      rmSync(dataDir, { recursive: true, force: true });
    });
    return cluster;
  });
  return own;
}

async function asAdmin(cluster: TestCluster, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(cluster, 'supabase_admin', 'template1') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

const urlOf = (cluster: TestCluster, role: string, database: string): string =>
  `postgresql://${role}:${cluster.password}@127.0.0.1:${cluster.port}/${database}`;

/** A database of one's own with all migrations applied, cloned in well under a second. */
export async function createDatabase(): Promise<TestDatabase> {
  const cluster = await sharedCluster();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(cluster, async (client) => {
    // Only one session may copy the template at a time.
    await client.query('select pg_advisory_lock(21)');
    await client.query(`create database ${name} template postgres owner postgres`);
    await client.query(`alter database ${name} set search_path = "$user", public, extensions`);
  });
  return {
    name,
    jwtSecret: cluster.jwtSecret,
    url: (role = 'postgres') => urlOf(cluster, role, name),
    drop: () => asAdmin(cluster, (client) => client.query(`drop database if exists ${name} with (force)`)),
  };
}

export interface TestStackOptions {
  only?: PartName[];
  demo?: boolean;
  broker?: 'embedded' | 'mosquitto';
  durable?: boolean;
  portBase?: number;
  /** Kept after stop() when given; otherwise a temporary folder. */
  dataDir?: string;
  env?: NodeJS.ProcessEnv;
}

export interface TestStack {
  readonly facts: Facts;
  readonly dataDir: string;
  /** SIGTERM, then resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** A block of 100 ports whose used ones are free: several runs may test on one machine at once. */
export async function freePortBase(): Promise<number> {
  const needed = Object.keys(OFFSETS) as PortName[];
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = 23_000 + Math.floor(Math.random() * 89) * 100;
    if (!(await firstTaken(portsFrom(base), needed))) return base;
  }
  throw new Error('There is no free block of ports between 23000 and 32000.');
}

/** Starts the machine form in its own process and waits for its line. */
export async function startStack(options: TestStackOptions = {}): Promise<TestStack> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'ec-stack-'));
  if (!options.dataDir) chmodSync(dataDir, 0o755);
  const base = options.portBase ?? (await freePortBase());
  const args = ['--json', '--port-base', String(base), '--data-dir', dataDir];
  if (options.demo !== true) args.push('--no-demo');
  if (options.only) args.push('--only', options.only.join(','));
  if (options.broker) args.push('--broker', options.broker);
  if (options.durable) args.push('--broker-durable');
  const child = spawn(binary('node'), [join(root, 'dev/stack/main.ts'), ...args], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  process.once('exit', () => child.kill('SIGTERM'));
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const facts = await Promise.race([firstLine(child.stdout), exited.then(() => undefined)]);
  const clean = (): void => (options.dataDir ? undefined : rmSync(dataDir, { recursive: true, force: true }));
  if (!facts) {
    const logs = errors.join('') || readFileSync(join(dataDir, 'logs/stack.log'), 'utf8');
    clean();
    throw new Error(`The stack did not start:\n${logs}`);
  }
  return {
    facts,
    dataDir,
    async stop() {
      child.kill('SIGTERM');
      const code = await exited;
      clean();
      return code;
    },
  };
}

function firstLine(stream: NodeJS.ReadableStream): Promise<Facts> {
  return new Promise((resolve) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)) as Facts);
    });
  });
}
