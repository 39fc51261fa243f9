import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, chmodSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { binary, root } from './paths.ts';
import { freePortBase } from './testing.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

const BASE = await freePortBase();
const folders: string[] = [];
const started: { child: ChildProcess; exited: Promise<unknown> }[] = [];

function temporaryFolder(mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), 'ec-stack-test-'));
  chmodSync(folder, mode);
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const { child, exited } of started.splice(0)) {
    child.kill('SIGTERM');
    await exited;
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The machine form in its own process, with everything it prints. */
function run(args: string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(
    binary('node'),
    [join(root, 'dev/stack/main.ts'), '--json', '--port-base', String(BASE), ...args],
    { env },
  );
  const printed = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.err += text));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  started.push({ child, exited });
  const until = async (done: () => boolean): Promise<void> => {
    await expect.poll(() => done() || child.exitCode !== null, { timeout: 60_000, interval: 20 }).toBe(true);
    if (!done()) throw new Error(`It ended: ${printed.err}`);
  };
  return { child, printed, exited, until, ready: () => until(() => printed.out.includes('\n')) };
}

const childrenOf = (dataDir: string): ProcessIdentity[] =>
  readFileSync(join(dataDir, 'children.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ProcessIdentity);

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

describe('the machine form', () => {
  test('prints one line when everything answers, keeps its data and leaves nothing running', async () => {
    const dataDir = temporaryFolder();
    // Without a locale the cluster must be UTF-8 all the same.
    const { LANG: _lang, LC_ALL: _all, ...env } = process.env;
    const first = run(['--only', 'auth,cron,broker', '--data-dir', dataDir], env);
    await first.ready();
    const facts = JSON.parse(first.printed.out);
    expect(facts).toMatchObject({
      supabase_url: `http://127.0.0.1:${BASE + 1}`,
      mqtt_url: `mqtt://127.0.0.1:${BASE + 5}`,
      mqtts_url: `mqtts://127.0.0.1:${BASE + 6}`,
      mail_url: `http://127.0.0.1:${BASE + 7}`,
      web_url: null,
      pid: first.child.pid,
    });
    expect(readFileSync(facts.mqtts_ca, 'utf8')).toContain('BEGIN CERTIFICATE');
    expect((await fetch(`${facts.mail_url}/api/messages`)).status).toBe(200);
    expect(await query(facts.db_url, 'show server_encoding')).toEqual(['UTF8']);
    expect(await query(facts.db_url, 'show fsync')).toEqual(['on']);
    expect(await query(facts.db_url, `select rolsuper from pg_roles where rolname = 'postgres'`)).toEqual([
      false,
    ]);
    await query(facts.db_url, 'create table public.kept (word text)');

    const children = childrenOf(dataDir).filter(isAlive);
    expect(children.length).toBeGreaterThan(0);
    const begin = Date.now();
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    expect(Date.now() - begin).toBeLessThan(10_000);
    expect(children.filter(isAlive)).toEqual([]);
    expect(first.printed.out.trim().split('\n')).toHaveLength(1);

    const second = run(['--only', 'db', '--data-dir', dataDir]);
    await second.ready();
    expect(JSON.parse(second.printed.out).db_url).toBe(facts.db_url);
    expect(await query(facts.db_url, `select to_regclass('public.kept')::text`)).toEqual(['kept']);
    second.child.kill('SIGINT');
    expect(await second.exited).toBe(0);
  });

  test('leaves nothing when it is stopped while starting', async () => {
    const dataDir = temporaryFolder();
    const stack = run(['--only', 'auth,broker', '--data-dir', dataDir]);
    await stack.until(() => existsSync(join(dataDir, 'children.jsonl')));
    const begun = childrenOf(dataDir);
    stack.child.kill('SIGTERM');
    expect(await stack.exited).toBe(130);
    expect(begun.filter(isAlive)).toEqual([]);
    expect(stack.printed.out).toBe('');
    expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false);
  });

  test('ends what a killed stack left behind and starts on its data', async () => {
    const dataDir = temporaryFolder();
    const killed = run(['--only', 'db', '--data-dir', dataDir]);
    await killed.ready();
    const orphans = childrenOf(dataDir).filter(isAlive);
    killed.child.kill('SIGKILL');
    await killed.exited;
    expect(orphans.length).toBeGreaterThan(0);
    const next = run(['--only', 'db', '--data-dir', dataDir]);
    await next.ready();
    expect(orphans.filter(isAlive)).toEqual([]);
    next.child.kill('SIGTERM');
    expect(await next.exited).toBe(0);
  });

  test('says which port is taken and starts nothing', async () => {
    const dataDir = temporaryFolder();
    const squatter = createServer().listen(BASE + 2, '127.0.0.1');
    await once(squatter, 'listening');
    const stack = run(['--only', 'db', '--data-dir', dataDir]);
    expect(await stack.exited).toBe(1);
    squatter.close();
    expect(stack.printed).toEqual({
      out: '',
      err: `Port ${BASE + 2} (postgres) is taken: free it or choose another --port-base.\n`,
    });
  });

  test('refuses a data folder that another stack uses', async () => {
    const dataDir = temporaryFolder();
    const first = run(['--only', 'mail', '--data-dir', dataDir]);
    await first.ready();
    const second = run(['--only', 'mail', '--data-dir', dataDir]);
    expect(await second.exited).toBe(1);
    expect(second.printed.err).toBe(
      `Another stack (process ${first.child.pid}) already uses ${dataDir}: stop it or choose another --data-dir.\n`,
    );
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
  });

  test.runIf(process.getuid?.() === 0)(
    'places the database elsewhere when its account cannot enter the folder',
    async () => {
      const dataDir = temporaryFolder(0o700);
      const stack = run(['--only', 'db', '--data-dir', dataDir]);
      await stack.ready();
      expect(stack.printed.err).toContain(
        `cannot enter ${dataDir}, so the database lives in /var/tmp/edgeconductor-`,
      );
      const moved = /lives in (\S+)\/postgres\./.exec(stack.printed.err)?.[1];
      stack.child.kill('SIGTERM');
      expect(await stack.exited).toBe(0);
      rmSync(String(moved), { recursive: true, force: true });
    },
  );
});
