import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, toolEnv } from '../check/run-tool.ts';

export interface Tally {
  name: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  /** Names of failed tests, or the sentence why the project could not run. */
  failures: string[];
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

export interface ProjectRun {
  name: string;
  reportDir: string;
  env: NodeJS.ProcessEnv;
  limitSeconds: number;
}

/** Runs one vitest project in a process group of its own, so that a hung one takes its children with it. */
export async function runProject({ name, reportDir, env, limitSeconds }: ProjectRun): Promise<Tally> {
  const began = performance.now();
  const report = join(reportDir, `${name}.json`);
  const args = ['run', '--project', name, '--reporter=default'];
  const child = spawn('vitest', [...args, '--reporter=json', `--outputFile.json=${report}`], {
    cwd: root,
    env: toolEnv(env),
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const stop = (signal: NodeJS.Signals) => {
    try {
      if (child.pid) process.kill(-child.pid, signal);
    } catch {
      // The group has ended meanwhile.
    }
  };
  const forward = () => stop('SIGTERM');
  process.once('SIGINT', forward).once('SIGTERM', forward);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop('SIGTERM');
    setTimeout(() => stop('SIGKILL'), 10_000).unref();
  }, limitSeconds * 1000);

  const code = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (exit) => resolve(exit ?? 1));
  });
  clearTimeout(timer);
  process.off('SIGINT', forward).off('SIGTERM', forward);

  const tally = { name, seconds: (performance.now() - began) / 1000 };
  if (late) return unfinished(tally, `stopped: it took longer than ${limitSeconds} s`);
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) return unfinished(tally, `vitest ended with code ${code} and left no report`);
  return { ...tally, ...count(JSON.parse(text) as VitestReport, code) };
}

function count(report: VitestReport, code: number): Omit<Tally, 'name' | 'seconds'> {
  const failures = report.testResults.flatMap((file) => {
    const path = file.name.replace(`${root}/`, '');
    const tests = file.assertionResults.filter((test) => test.status === 'failed');
    if (tests.length > 0) return tests.map((test) => `${path}: ${test.fullName}`);
    // A file that fails outside a test (an import, a hook) has no failed test to count.
    return file.status === 'failed' ? [`${path}: ${file.message.split('\n')[0]}`] : [];
  });
  // An unhandled rejection fails the run without failing a test.
  if (code !== 0 && failures.length === 0) failures.push('an error outside the tests, shown above');
  return {
    passed: report.numPassedTests,
    failed: failures.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures,
  };
}

export function unfinished(tally: { name: string; seconds: number }, sentence: string): Tally {
  return { ...tally, passed: 0, failed: 1, skipped: 0, failures: [sentence] };
}
