import pg from 'pg';
import { createDatabase } from '../../stack/testing.ts';
import { SECTIONS } from './schema-sections.ts';

const HEADER = `-- What the migrations make, read from the catalog of a freshly migrated database: the place to see the whole
-- schema at once, and what a migration changed. Made by dev/scripts/generate/schema-snapshot.ts; never applied.
`;

/** The schema of the database behind the URL as text; the same on every supported Postgres. */
export async function snapshotOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Names are printed with their schema when nothing is on the path.
    await client.query(`set search_path = ''`);
    let text = HEADER;
    for (const { title, sql } of SECTIONS) {
      const { rows } = await client.query<{ line: string }>(sql);
      // A line of its own below everything that takes more than one.
      const lines = rows.map(({ line }) => (line.includes('\n') ? `${line}\n` : line));
      text += `\n-- ${title}\n\n${lines.join('\n').trimEnd()}\n`;
    }
    return text;
  } finally {
    await client.end();
  }
}

export async function generateSchemaSnapshot(): Promise<string> {
  const database = await createDatabase();
  try {
    return await snapshotOf(database.url());
  } finally {
    await database.drop();
  }
}
