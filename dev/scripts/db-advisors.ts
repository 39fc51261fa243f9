/** `supabase db advisors` on a freshly migrated database; exits with 1 when it finds an ERROR or a WARN. */
import { spawn } from 'node:child_process';
import { root, toolEnv } from './check/run-tool.ts';
import { createDatabase } from '../stack/testing.ts';

export interface Finding {
  level: 'ERROR' | 'WARN' | 'INFO';
  /** The lint, e.g. auth_rls_initplan. */
  name: string;
  detail: string;
}

/** Everything the advisors say about the database behind the URL (a role that may read the catalog). */
export async function adviseOn(url: string): Promise<Finding[]> {
  const args = ['db', 'advisors', `--remote=${url}?sslmode=disable`, '--level', 'info', '--fail-on', 'none'];
  const child = spawn('supabase', [...args, '--agent', 'no', '--output-format', 'json'], {
    cwd: root,
    env: toolEnv({ DO_NOT_TRACK: '1', SUPABASE_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0)
    throw new Error(`supabase db advisors ended with ${String(code)}: ${output.stderr || output.stdout}`);
  return (JSON.parse(output.stdout) as { results: Finding[] }).results;
}

if (import.meta.main) {
  const database = await createDatabase();
  const findings = await adviseOn(database.url());
  await database.drop();
  const serious = findings.filter(({ level }) => level !== 'INFO');
  for (const { level, name, detail } of serious) console.error(`${level} ${name}: ${detail}`);
  console.log(`${serious.length} errors and warnings, ${findings.length - serious.length} notes.`);
  process.exit(serious.length === 0 ? 0 : 1);
}
