import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { messageOf, StackFailure } from './failure.ts';
import { FileStorage } from './file-storage.ts';
import { createLite } from './lite-app.ts';
import type { Postgres } from './postgres.ts';
import type { Secrets } from './secrets.ts';

const shimFolder = join(import.meta.dirname, 'shims');

const shimFiles = (): string[] =>
  readdirSync(shimFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort();

/**
 * Makes the empty cluster look like a hosted Supabase project: roles, then auth.* and storage.* by lite, then
 * the stand-ins for what hosted has and this Postgres lacks. Skipped when the same shims were applied before.
 */
export async function prepareDatabase(postgres: Postgres, secrets: Secrets): Promise<void> {
  const sql = shimFiles().map((name) => ({ name, text: readFileSync(join(shimFolder, name), 'utf8') }));
  const version = createHash('sha256').update(JSON.stringify(sql)).digest('hex').slice(0, 16);
  const url = postgres.url('supabase_admin');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ comment: string | null }>(
      `select obj_description(oid, 'pg_namespace') as comment from pg_namespace where nspname = 'extensions'`,
    );
    if (rows[0]?.comment === `stack shims ${version}`) return;
    for (const { name, text } of sql) {
      if (name === '20-auth-storage.sql') await createSystemSchemas(url, secrets);
      await client.query(text).catch((error: unknown) => {
        throw new StackFailure(`The database could not be prepared (${name}): ${messageOf(error)}`);
      });
    }
    for (const role of ['postgres', 'authenticator', 'supabase_auth_admin'])
      await setPassword(client, role, secrets.dbPassword);
    await client.query(`comment on schema extensions is 'stack shims ${version}'`);
  } finally {
    await client.end();
  }
}

async function createSystemSchemas(url: string, secrets: Secrets): Promise<void> {
  const storage = new FileStorage('/nonexistent');
  const lite = createLite({ dbUrl: url, secrets, siteUrl: 'http://127.0.0.1', storage });
  try {
    await lite.app.ensureSystemSchema();
  } finally {
    await lite.close();
  }
}

/** Login roles that migrations create get this stack's password: a migration never holds one. */
export async function setLoginPasswords(postgres: Postgres, secrets: Secrets): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url('supabase_admin') });
  await client.connect();
  try {
    const { rows } = await client.query<{ rolname: string }>(
      `select rolname from pg_roles where rolname like 'ec\\_%' and rolcanlogin`,
    );
    for (const { rolname } of rows) await setPassword(client, rolname, secrets.dbPassword);
  } finally {
    await client.end();
  }
}

async function setPassword(client: pg.Client, role: string, password: string): Promise<void> {
  await client.query(
    `alter role ${client.escapeIdentifier(role)} password ${client.escapeLiteral(password)}`,
  );
}

/** What deploying puts into Vault, by name: how statements reach the functions, and where devices fetch firmware. */
export async function setVault(postgres: Postgres, secrets: Record<string, string>): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url('supabase_admin') });
  await client.connect();
  try {
    for (const [name, value] of Object.entries(secrets)) {
      const { rows } = await client.query<{ id: string }>('select id from vault.secrets where name = $1', [
        name,
      ]);
      if (rows[0]) await client.query('select vault.update_secret($1, $2)', [rows[0].id, value]);
      else await client.query('select vault.create_secret($1, $2)', [value, name]);
    }
  } finally {
    await client.end();
  }
}
