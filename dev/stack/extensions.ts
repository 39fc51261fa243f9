import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, StackFailure } from './failure.ts';

/** Extensions of hosted Supabase that the embedded Postgres lacks, with the version hosted reports. */
const STUBS = { pg_cron: '1.6', pg_net: '0.14.0', supabase_vault: '0.3.1' } as const;

/**
 * Lets `create extension if not exists pg_cron` pass: an empty extension, because the objects come from the
 * shim SQL. `trusted` allows it to the role that pushes migrations, which is no superuser here either.
 */
export function installStubExtensions(postgresHome: string): void {
  const folder = join(postgresHome, 'share/postgresql/extension');
  try {
    for (const [name, version] of Object.entries(STUBS)) {
      const script = join(folder, `${name}--${version}.sql`);
      if (existsSync(script)) continue;
      writeFileSync(
        join(folder, `${name}.control`),
        `comment = 'stand-in of the local stack'\ndefault_version = '${version}'\nrelocatable = false\ntrusted = true\n`,
      );
      writeFileSync(script, '-- The objects are made by dev/stack/shims.\n');
    }
  } catch (error) {
    throw new StackFailure(`The extension stubs cannot be written to ${folder}: ${messageOf(error)}.`);
  }
}
