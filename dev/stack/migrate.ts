import { readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import pg from 'pg';
import { runChild } from './child.ts';
import { messageOf, StackFailure } from './failure.ts';
import { binary, root } from './paths.ts';

export const migrationFolder = join(root, 'supabase/migrations');

/** File names of the migrations in this checkout, in order. */
export function migrationFiles(): string[] {
  try {
    return readdirSync(migrationFolder)
      .filter((name) => /^\d{14}_.*\.sql$/.test(name))
      .sort();
  } catch {
    return [];
  }
}

/**
 * Applies the missing migrations with the real `supabase` CLI, as `postgres`, exactly as a deployment does.
 * Does not start the CLI when the history table already holds every file. Returns how many were missing.
 */
export async function migrate(dbUrl: string, logFile: string, signal?: AbortSignal): Promise<number> {
  const applied = await appliedVersions(dbUrl);
  refuseTwins(migrationFiles());
  const missing = migrationFiles().filter((name) => !applied.has(name.slice(0, 14)));
  if (missing.length === 0) return 0;
  try {
    await runChild(
      {
        command: binary('supabase'),
        args: [
          'db',
          'push',
          `--remote=${dbUrl}?sslmode=disable`,
          '--include-all',
          '--skip-vault',
          '--yes',
          '--agent',
          'no',
        ],
        env: {
          ...process.env,
          // The CLI's launcher is a Node script.
          PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
          DO_NOT_TRACK: '1',
          SUPABASE_TELEMETRY_DISABLED: '1',
          NO_COLOR: '1',
          CI: '1',
        },
        cwd: root,
        logFile,
      },
      signal,
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw new StackFailure(`The migrations failed:\n${messageOf(error)}`);
  }
  return missing.length;
}

async function appliedVersions(dbUrl: string): Promise<Set<string>> {
  const client = new pg.Client({ connectionString: dbUrl });
  await client.connect();
  try {
    const table = await client.query(`select to_regclass('supabase_migrations.schema_migrations') as name`);
    if (table.rows[0]?.name === null) return new Set();
    const { rows } = await client.query<{ version: string }>(
      'select version from supabase_migrations.schema_migrations',
    );
    return new Set(rows.map((row) => row.version));
  } finally {
    await client.end();
  }
}

/** The history table knows a migration by its 14 digits alone. */
function refuseTwins(files: string[]): void {
  const twin = files.findIndex((name, index) => files[index - 1]?.slice(0, 14) === name.slice(0, 14));
  if (twin > 0)
    throw new StackFailure(`Two migrations have the same version: ${files[twin - 1]} and ${files[twin]}.`);
}
