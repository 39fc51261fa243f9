import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SourceFile } from './problem.ts';

const run = promisify(execFile);
const TEXT =
  /\.(ts|mts|mjs|js|cjs|svelte|sql|json|md|toml|yml|yaml|sh|css|html|svg|h|cpp|ino|txt|properties|csv)$/;
const TEXT_NAMES = /(^|\/)(\.npmrc|\.gitignore|\.prettierrc|\.prettierignore|run|Makefile)$/;

/** Every path git tracks or would track (new files count, ignored ones do not), sorted. */
export async function listFiles(root: string): Promise<string[]> {
  // A checkout owned by another user is refused by git unless it is named as safe.
  const { stdout } = await run(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, maxBuffer: 64 * 1024 * 1024 },
  );
  return [...new Set(stdout.split('\0').filter(Boolean))].sort();
}

/** Reads the text files among `paths`; one that vanished since it was listed is left out. */
export async function readTextFiles(root: string, paths: string[]): Promise<SourceFile[]> {
  const texts = await Promise.all(
    paths
      .filter((path) => TEXT.test(path) || TEXT_NAMES.test(path))
      .map(async (path) => {
        try {
          return { path, text: await readFile(join(root, path), 'utf8') };
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
          throw error;
        }
      }),
  );
  return texts.filter((file) => file !== undefined);
}
