import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkBundle } from './bundle.ts';
import { listFiles, readTextFiles } from './files.ts';
import { checkImports } from './imports.ts';
import { checkLeaks } from './leaks.ts';
import { checkMigrations } from './migrations.ts';
import { checkPins } from './pins.ts';
import { formatProblem, type Problem, type SourceFile } from './problem.ts';
import { command, root } from './run-tool.ts';
import { checkSizes } from './sizes.ts';
import { checkWords } from './words.ts';

export interface Step {
  name: string;
  what: string;
  /** Runs the step; '' means it holds, anything else is what the reader should see. */
  run(options: { fix: boolean }): Promise<string>;
}

const paths = await listFiles(root);
let texts: Promise<SourceFile[]> | undefined;
const files = () => (texts ??= readTextFiles(root, paths));

const script = (name: string, what: string, check: (files: SourceFile[]) => Problem[]): Step => ({
  name,
  what,
  run: async () =>
    check(await files())
      .map(formatProblem)
      .join('\n'),
});

// Longest first, so that two workers finish together.
export const steps: Step[] = [
  {
    name: 'lint',
    what: 'eslint: rules that find bugs',
    run: ({ fix }) =>
      svelteSync().then(() => command('eslint', ['.', '--max-warnings=0', ...(fix ? ['--fix'] : [])])),
  },
  {
    name: 'web-types',
    what: 'svelte-check: types and accessibility of web/',
    run: async () =>
      existsSync(join(root, 'web/src'))
        ? (await svelteSync()) ||
          command(
            'svelte-check',
            ['--tsconfig', './tsconfig.json', '--fail-on-warnings', '--output', 'human'],
            {
              cwd: join(root, 'web'),
            },
          )
        : '',
  },
  {
    name: 'types',
    what: 'tsc: dev, cli, mqtt-bridge, tests',
    run: () => command('tsc', ['-p', 'tsconfig.json', '--pretty', 'false']),
  },
  {
    name: 'sdk-types',
    what: 'tsc: sdk without Node types',
    run: () => command('tsc', ['-p', 'sdk', '--pretty', 'false']),
  },
  { name: 'deno-types', what: 'deno check: supabase/functions', run: denoCheck },
  {
    name: 'format',
    what: 'prettier',
    run: ({ fix }) =>
      command('prettier', [
        '.',
        ...(fix ? ['--write', '--log-level=warn'] : ['--list-different']),
        '--cache',
        '--cache-location=node_modules/.cache/prettier/.prettier-cache',
      ]).then((output) =>
        output ? `${output}\n      fix: npx prettier --write, then the file names above` : '',
      ),
  },
  {
    name: 'generated',
    what: 'generated files are up to date',
    // In a process of its own: the database some are made from must not outlive the step.
    run: () => command('node', ['dev/scripts/generate.ts', '--check']),
  },
  { name: 'bundle', what: 'no server secret in what browsers download', run: bundleCheck },
  script('imports', 'who may import whom', checkImports),
  script('sizes', '400 lines a file', checkSizes),
  script('migrations', 'hosted Supabase will accept them', (all) => checkMigrations(all, paths)),
  script('leaks', 'no machine paths, registry hosts, secrets', (all) => checkLeaks(all, root)),
  script('pins', 'one exact version of every dependency', checkPins),
  script('words', 'no unfounded promises, focused tests, vague names', checkWords),
];

let synced: Promise<string> | undefined;
/** `$app/*` types live in node_modules, where every npm install deletes them. */
function svelteSync(): Promise<string> {
  if (!existsSync(join(root, 'web/vite.config.ts'))) return Promise.resolve('');
  return (synced ??= command('svelte-kit', ['sync'], { cwd: join(root, 'web') }));
}

/** Of the build that a stack would serve; made when there is none of these sources. */
async function bundleCheck(): Promise<string> {
  // Loaded late: the builder is the stack's and brings its own modules.
  const { ensureWebBuild, PLANTED_SECRET } = await import('../../stack/web-build.ts');
  const logs = mkdtempSync(join(tmpdir(), 'ec-gate-'));
  try {
    await svelteSync();
    const build = await ensureWebBuild(join(logs, 'web-build.log'), new AbortController().signal, () => {});
    const client = join(build, 'client');
    const names = readdirSync(client, { recursive: true, encoding: 'utf8' }).sort();
    const bundle = await readTextFiles(client, names);
    if (bundle.length === 0) return '  the build has no files for browsers';
    return checkBundle(bundle, await files(), PLANTED_SECRET)
      .map(formatProblem)
      .join('\n');
  } finally {
    rmSync(logs, { recursive: true, force: true });
  }
}

async function denoCheck(): Promise<string> {
  const entries = paths.filter((path) => /^supabase\/functions\/[^/]+\/index\.ts$/.test(path));
  const results = await Promise.all(
    entries.map((entry) =>
      command('deno', ['check', '--quiet', '--config', `${dirname(entry)}/deno.json`, entry], {
        env: { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
      }),
    ),
  );
  return results.filter(Boolean).join('\n');
}
