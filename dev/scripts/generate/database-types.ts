import { spawn } from 'node:child_process';
import { format, resolveConfig } from 'prettier';
import { createDatabase } from '../../stack/testing.ts';
import { root, toolEnv } from '../check/run-tool.ts';

/** TypeScript types of the exposed tables, by `supabase gen types` from a freshly migrated database. */
export async function generateDatabaseTypes(): Promise<string> {
  const database = await createDatabase();
  try {
    const args = ['gen', 'types', '--schema', 'public', `--remote=${database.url()}?sslmode=disable`];
    const child = spawn('supabase', [...args, '--agent', 'no'], {
      cwd: root,
      env: toolEnv({ DO_NOT_TRACK: '1', SUPABASE_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`supabase gen types ended with ${String(code)}: ${output.stderr}`);
    const header = '// Made by dev/scripts/generate/database-types.ts from the migrations. Do not edit.\n';
    const config = await resolveConfig(`${root}/package.json`);
    return await format(header + output.stdout, { ...config, parser: 'typescript' });
  } finally {
    await database.drop();
  }
}
