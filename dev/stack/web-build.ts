import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { runChild } from './child.ts';
import { messageOf, StackFailure } from './failure.ts';
import { root } from './paths.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const web = join(root, 'web');
/** Finished builds by the hash of their sources: a running stack keeps serving its own while another builds. */
const cache = join(web, '.svelte-kit/served');
const SOURCES = [
  'web/src',
  'web/static',
  'web/vite.config.ts',
  'web/package.json',
  'sdk/src',
  'sdk/package.json',
  'package-lock.json',
];
const KEEP = 4;
/** A stack that started within this time may still load parts of its build. */
const KEEP_MS = 2 * 3_600_000;
/** Stands in for a secret while building; the gate looks that no browser gets it. */
export const PLANTED_SECRET = 'ec-secret-planted-by-the-build';
/** The app checks its settings while it is built, too; the real ones are read when its server starts. */
const PLACEHOLDERS = {
  SUPABASE_URL: 'http://127.0.0.1',
  EC_API_URL: 'http://127.0.0.1/functions/v1/api',
  PUBLIC_SUPABASE_URL: 'http://127.0.0.1',
  PUBLIC_SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_build',
  EC_WEB_SECRET: PLANTED_SECRET,
};

/** The folder of a build of the present sources; builds when there is none. About 15 s on two cores. */
export async function ensureWebBuild(
  logFile: string,
  signal: AbortSignal,
  say: (sentence: string) => void,
): Promise<string> {
  const build = join(cache, hashOf(SOURCES));
  if (!existsSync(build)) {
    mkdirSync(cache, { recursive: true });
    const release = await takeBuildLock(signal);
    try {
      if (!existsSync(build)) {
        say('Building the web app, once for these sources …');
        await makeBuild(build, logFile, signal);
      }
    } finally {
      release();
    }
  }
  const now = new Date();
  utimesSync(build, now, now);
  prune();
  return build;
}

async function makeBuild(build: string, logFile: string, signal: AbortSignal): Promise<void> {
  const resolve = createRequire(join(web, 'package.json')).resolve;
  const env = {
    ...PLACEHOLDERS,
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    NODE_ENV: 'production',
    NO_COLOR: '1',
  };
  const run = (script: string, args: string[]): Promise<void> =>
    runChild({ command: process.execPath, args: [script, ...args], env, cwd: web, logFile }, signal);
  try {
    await run(join(resolve('@sveltejs/kit/package.json'), '../svelte-kit.js'), ['sync']);
    await run(join(resolve('vite/package.json'), '../bin/vite.js'), ['build']);
  } catch (error) {
    signal.throwIfAborted();
    throw new StackFailure(
      `The web app could not be built (all of it is in ${logFile}):\n${messageOf(error)}`,
    );
  }
  const partial = `${build}.${process.pid}`;
  cpSync(join(web, 'build'), partial, { recursive: true });
  renameSync(partial, build);
}

/** Two stacks of one checkout must not build into the same folder at once. */
async function takeBuildLock(signal: AbortSignal): Promise<() => void> {
  const file = join(cache, 'lock');
  for (;;) {
    signal.throwIfAborted();
    try {
      writeFileSync(file, JSON.stringify(identify(process.pid)), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch {
      const holder = readLock(file);
      if (!holder || !isAlive(holder)) rmSync(file, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function readLock(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

function prune(): void {
  const builds = readdirSync(cache, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ path: join(cache, entry.name), usedMs: statSync(join(cache, entry.name)).mtimeMs }))
    .sort((a, b) => b.usedMs - a.usedMs);
  for (const { path, usedMs } of builds.slice(KEEP))
    if (Date.now() - usedMs > KEEP_MS) rmSync(path, { recursive: true, force: true });
}

function hashOf(paths: string[]): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) add(join(path, name));
      return;
    }
    hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
  };
  for (const path of paths) add(join(root, path));
  return hash.digest('hex').slice(0, 16);
}
