/**
 * What a stranger does: clone, `npm start`, look, stop, start again. Once per npm that people have, without
 * LANG, without anything of this checkout on PATH, and once as a user who is not root.
 *
 *   npm run test:clone -- [--npm 10,11,12] [--full]      (--full runs `npm test` in the last clone too)
 *
 * The committed state is what is cloned. Ends with the same line as `npm test`.
 */
import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { command, root } from './check/run-tool.ts';
import { freePortBase } from '../stack/testing.ts';
import { startMachine, type Machine } from './test/machine.ts';

const FIRST_START_S = 600;
const SECOND_START_S = 10;
const NOBODY = 65534;

const { values } = parseArgs({
  options: { npm: { type: 'string', default: '10,11,12' }, full: { type: 'boolean', default: false } },
});
const versions = values.npm.split(',');
const base = await mkdtemp(join(tmpdir(), 'ec-clone-'));
await chmod(base, 0o755);
const outcome = { passed: 0, failed: 0 };

for (const [index, npm] of versions.entries()) {
  // One of the runs is by somebody without privileges, if we have privileges to give up.
  const asNobody = index === 1 && process.getuid?.() === 0;
  await attempt(`npm ${npm}${asNobody ? ', not root' : ''}`, () => cloneAndStart(npm, asNobody));
}
if (values.full) {
  await attempt('npm test in the last clone', () => npmTest(join(base, `npm-${versions.at(-1)}`)));
}
await rm(base, { recursive: true, force: true });
console.log(`\n${outcome.passed} passed, ${outcome.failed} failed, 0 skipped`);
process.exitCode = outcome.failed > 0 ? 1 : 0;

async function attempt(name: string, run: () => Promise<string>): Promise<void> {
  try {
    console.log(`ok   ${name}: ${await run()}`);
    outcome.passed++;
  } catch (error) {
    console.log(`FAIL ${name}: ${(error as Error).message}`);
    outcome.failed++;
  }
}

async function cloneAndStart(npm: string, asNobody: boolean): Promise<string> {
  const folder = join(base, `npm-${npm}`);
  const home = join(base, `home-${npm}`);
  await mkdir(home);
  const cloned = await command('git', [
    '-c',
    'safe.directory=*',
    'clone',
    '--quiet',
    '--no-local',
    root,
    folder,
  ]);
  if (cloned) throw new Error(cloned);
  const owner = asNobody ? { uid: NOBODY, gid: NOBODY } : {};
  if (asNobody) {
    await chown(home, NOBODY, NOBODY);
    const changed = await command('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
    if (changed) throw new Error(changed);
  }

  const start = async (limit: number) => {
    const began = performance.now();
    const args = ['--yes', `npm@${npm}`, 'start', '--', '--json', '--no-demo'];
    const machine = await startMachine({
      program: 'npx',
      args: [...args, '--port-base', String(await freePortBase())],
      cwd: folder,
      env: strangersEnvironment(asNobody ? home : undefined),
      limitSeconds: limit,
      ...owner,
    });
    return { machine, seconds: (performance.now() - began) / 1000 };
  };

  const first = await start(FIRST_START_S);
  await lookAround(first.machine);
  await first.machine.stop();
  const second = await start(60);
  await second.machine.stop();
  if (second.seconds > SECOND_START_S) {
    throw new Error(`the second start took ${second.seconds.toFixed(1)} s, the bar is ${SECOND_START_S} s`);
  }
  return `first start ${first.seconds.toFixed(0)} s, second ${second.seconds.toFixed(1)} s`;
}

async function lookAround({ facts }: Machine): Promise<void> {
  for (const url of [`${facts.api_url}/health`, `${facts.web_url}/`, `${facts.web_url}/api/health`]) {
    const answer = await fetch(url);
    if (answer.status !== 200) throw new Error(`GET ${url} answered ${answer.status}`);
  }
  const signIn = await fetch(`${facts.supabase_url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: facts.publishable_key, 'content-type': 'application/json' },
    body: JSON.stringify(facts.admin),
  });
  if (signIn.status !== 200) throw new Error(`the admin could not sign in: ${signIn.status}`);
}

/** No LANG, no npm settings of the run that started us, no tools of this checkout. */
function strangersEnvironment(home?: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|LANG$|LC_|NODE|INIT_CWD|EC_)/i.test(name),
  );
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter), ...(home && { HOME: home }) };
}

function npmTest(folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['test'], { cwd: folder, env: strangersEnvironment(), stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve('passed') : reject(new Error(`ended with code ${code}`)),
    );
  });
}
