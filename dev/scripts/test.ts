/**
 * Everything that is checked, as `npm test` runs it: the gate, then each vitest project.
 *
 *   npm test -- [--only gate,unit,web,db,db15,api,bridge,stack,e2e]
 *
 * The last line is always `N passed, N failed, N skipped`; the exit code is 0 only with none failed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runGate } from './check/run-gate.ts';
import { projects } from './test/projects.ts';
import { findOrInstall, missingSentence } from './test/programs.ts';
import { runProject, unfinished, type Tally } from './test/run-project.ts';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const names = ['gate', ...projects.map((project) => project.name)];
const wanted = values.only?.split(',') ?? names;
const unknown = wanted.find((name) => !names.includes(name));
if (unknown) {
  console.error(`There is no part "${unknown}". Parts: ${names.join(', ')}.`);
  process.exit(2);
}

const reportDir = await mkdtemp(join(tmpdir(), 'ec-test-'));
const tallies: Tally[] = [];
let stopped = false;
process.once('SIGINT', () => (stopped = true)).once('SIGTERM', () => (stopped = true));

if (wanted.includes('gate')) {
  console.log('\n== gate');
  const { passed, failed, seconds } = await runGate();
  tallies.push({
    name: 'gate',
    passed: passed.length,
    failed: failed.length,
    skipped: 0,
    seconds,
    failures: failed,
  });
}

for (const project of projects) {
  if (stopped || !wanted.includes(project.name)) continue;
  console.log(`\n== ${project.name}: ${project.what}`);
  const programs = project.needs.map((program) => ({ program, path: findOrInstall(program) }));
  const missing = programs.find(({ path }) => path === undefined);
  if (missing) {
    console.log(missingSentence(missing.program));
    tallies.push(unfinished({ name: project.name, seconds: 0 }, missingSentence(missing.program)));
    continue;
  }
  const env = Object.fromEntries(programs.map(({ program, path }) => [program.variable, path]));
  tallies.push(await runProject({ name: project.name, reportDir, env, limitSeconds: project.limitSeconds }));
}

await rm(reportDir, { recursive: true, force: true });
summarise(tallies);

function summarise(all: Tally[]): void {
  console.log('\n== summary');
  for (const { name, passed, failed, skipped, seconds, failures } of all) {
    const parts = [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`];
    console.log(`${name.padEnd(8)} ${seconds.toFixed(0).padStart(4)} s  ${parts.filter(Boolean).join(', ')}`);
    for (const failure of failures) console.log(`         - ${failure}`);
  }
  const sum = (key: 'passed' | 'failed' | 'skipped') => all.reduce((total, tally) => total + tally[key], 0);
  if (stopped) console.log('Stopped before the end.');
  process.exitCode = stopped || sum('failed') > 0 ? 1 : 0;
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
}
