import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { StackFailure } from './failure.ts';

/** Postgres refuses to run as root, so root hands it to this account, which exists everywhere. */
export const NOBODY = 65534;

export interface DatabaseUser {
  uid?: number;
  gid?: number;
}

export const databaseUser = (): DatabaseUser =>
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** Whether an unprivileged account may enter the folder and every folder above it. */
export function isReachable(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    if (existsSync(path) && (statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

const versionOf = (home: string): string =>
  (JSON.parse(readFileSync(join(home, '../package.json'), 'utf8')) as { version: string }).version;

export interface DatabaseFolders {
  /** Where the cluster lives. */
  cluster: string;
  /** The Postgres installation. */
  home: string;
  /** One sentence for the person, when something had to be placed elsewhere. */
  moved?: string;
}

/**
 * Where the cluster and the binaries lie so that the account that runs Postgres reaches both. Only root needs
 * the detour: everybody else runs Postgres as themselves.
 */
export function placeDatabase(dataDir: string, home: string): DatabaseFolders {
  const wanted = join(dataDir, 'postgres');
  const user = databaseUser();
  if (user.uid === undefined) return { cluster: wanted, home };
  mkdirSync(dataDir, { recursive: true });
  const detour = join(
    '/var/tmp',
    `edgeconductor-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`,
  );
  const folders: DatabaseFolders = { cluster: wanted, home };
  if (!isReachable(dataDir)) {
    folders.cluster = join(detour, 'postgres');
    // Who removes the data folder wants to start anew.
    const marker = join(dataDir, 'postgres.moved');
    if (!existsSync(marker)) rmSync(folders.cluster, { recursive: true, force: true });
    writeFileSync(marker, `${folders.cluster}\n`);
    folders.moved = `The account that runs Postgres cannot enter ${dataDir}, so the database lives in ${folders.cluster}.`;
  }
  if (!isReachable(home)) {
    folders.home = join(detour, `native-${versionOf(home)}`);
    if (!existsSync(join(folders.home, 'bin/postgres'))) {
      const partial = `${folders.home}.${process.pid}`;
      cpSync(home, partial, { recursive: true, verbatimSymlinks: true });
      renameSync(partial, folders.home);
    }
    for (let path = folders.home; path !== dirname(detour); path = dirname(path)) chmodSync(path, 0o755);
  }
  mkdirSync(folders.cluster, { recursive: true, mode: 0o700 });
  if (dirname(folders.cluster) === detour) chmodSync(detour, 0o755);
  chownSync(folders.cluster, NOBODY, NOBODY);
  if (!isReachable(dirname(folders.cluster)))
    throw new StackFailure(
      `Postgres cannot run as root and cannot enter ${folders.cluster}: choose another --data-dir.`,
    );
  return folders;
}
