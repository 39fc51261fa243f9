/**
 * Notes the migrations that are not yet in the manifest as landed; from then on the gate refuses to see them edited.
 *
 *   npm run migrations:land
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listFiles, readTextFiles } from './check/files.ts';
import { LANDED, landedLine } from './check/migrations.ts';
import { root } from './check/run-tool.ts';

const manifest = join(root, LANDED);
const before = await readFile(manifest, 'utf8').catch(
  () =>
    '# Migrations that have landed; verify with sha256sum -c. Only npm run migrations:land writes here.\n',
);
const paths = (await listFiles(root)).filter((path) => /^supabase\/migrations\/.*\.sql$/.test(path));
const fresh = (await readTextFiles(root, paths)).filter(({ path }) => !before.includes(`  ${path}\n`));

await writeFile(manifest, before + fresh.map((file) => `${landedLine(file)}\n`).join(''));
console.log(
  fresh.length === 0 ? 'Nothing new has landed.' : fresh.map(({ path }) => `landed ${path}`).join('\n'),
);
