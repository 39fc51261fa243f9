import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackFailure } from './failure.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

export interface DataDirLock {
  /** Notes a child, so that the next start can end it if this process is killed. */
  noteChild(pid: number): void;
  release(): void;
}

/**
 * Makes this process the only stack on the data folder. A lock whose process is gone is taken over, and the
 * children that process left running are ended.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch (error) {
    throw new StackFailure(`The data folder ${dataDir} cannot be used: ${(error as Error).message}.`);
  }
  const file = join(dataDir, 'stack.lock');
  const childFile = join(dataDir, 'children.jsonl');
  takeLock(file, dataDir);
  await endLeftovers(readChildren(childFile));
  rmSync(childFile, { force: true });
  return {
    noteChild(pid) {
      const identity = identify(pid);
      if (identity) writeFileSync(childFile, `${JSON.stringify(identity)}\n`, { flag: 'a' });
    },
    release() {
      rmSync(childFile, { force: true });
      rmSync(file, { force: true });
    },
  };
}

/** Resolves when they are gone, so that their ports are free; Postgres recovers what it had acknowledged. */
async function endLeftovers(children: ProcessIdentity[]): Promise<void> {
  const left = children.filter(isAlive);
  for (const { pid } of left) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended by itself in the meantime.
    }
  }
  const deadline = Date.now() + 10_000;
  while (left.some(isAlive)) {
    if (Date.now() > deadline)
      throw new StackFailure('A part that an earlier stack left running does not end.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function takeLock(file: string, dataDir: string): void {
  const mine = JSON.stringify(identify(process.pid));
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new StackFailure(`The data folder ${dataDir} cannot be written: ${(error as Error).message}.`);
      const holder = readHolder(file);
      if (holder && isAlive(holder))
        throw new StackFailure(
          `Another stack (process ${holder.pid}) already uses ${dataDir}: stop it or choose another --data-dir.`,
        );
      rmSync(file, { force: true });
    }
  }
  throw new StackFailure(`Another stack is starting on ${dataDir}.`);
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

function readChildren(file: string): ProcessIdentity[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as ProcessIdentity];
      } catch {
        return [];
      }
    });
}
