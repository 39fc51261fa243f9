/**
 * Files made from other files.
 *
 *   npm run generate               writes them
 *   npm run generate -- --check    makes them in memory and says which committed one differs (exit code 1)
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatProblem } from './check/problem.ts';
import { root } from './check/run-tool.ts';
import { generateDatabaseTypes } from './generate/database-types.ts';
import { generateFirmwareContract } from './generate/firmware-contract.ts';
import { generateOpenApi } from './generate/openapi.ts';
import { generateSchemaSnapshot } from './generate/schema-snapshot.ts';

interface Generator {
  /** Path of the file it makes, from the repository root. */
  output: string;
  /** The whole file as text; needs no running stack. */
  make(): Promise<string>;
}

const generators: Generator[] = [
  { output: 'firmware/src/ec/generated/contract.h', make: generateFirmwareContract },
  { output: 'docs/openapi.json', make: generateOpenApi },
  { output: 'supabase/tests/schema.snapshot.sql', make: generateSchemaSnapshot },
  { output: 'supabase/tests/database.types.ts', make: generateDatabaseTypes },
];

const made = await Promise.all(generators.map(async ({ output, make }) => ({ output, text: await make() })));

if (process.argv.includes('--check')) {
  for (const { output, text } of made) await compare(output, text);
} else {
  for (const { output, text } of made) {
    await mkdir(dirname(join(root, output)), { recursive: true });
    await writeFile(join(root, output), text);
    console.log(`wrote ${output}`);
  }
}
// The database that some are made from would keep this process alive.
process.exit();

async function compare(output: string, text: string): Promise<void> {
  const committed = await readFile(join(root, output), 'utf8').catch(() => '');
  if (text === committed) return;
  process.exitCode = 1;
  const [left, right] = [text.split('\n'), committed.split('\n')];
  const index = left.findIndex((line, i) => line !== right[i]);
  const problem = {
    file: output,
    line: (index === -1 ? left.length : index) + 1,
    message: committed === '' ? 'is missing.' : `should say: ${left[index]?.trim() || '(nothing more)'}`,
    fix: 'npm run generate, read the difference, commit it',
  };
  console.log(formatProblem(problem));
}
