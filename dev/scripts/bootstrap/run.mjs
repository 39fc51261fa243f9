import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** The repository's root folder. */
export const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../..');

/** @param {string} sentence for the person; stdout belongs to the task */
export function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a program to its end and returns its exit code; signals go on to it. When npm is killed without telling
 * us, the program is told to stop instead of living on without anybody knowing.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ forTask?: boolean, env?: NodeJS.ProcessEnv }} [options] a task keeps our stdout, anything else prints to stderr
 * @returns {Promise<number>}
 */
export function runToEnd(command, args, { forTask = false, env = {} } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: forTask ? process.cwd() : root,
      stdio: forTask ? 'inherit' : ['ignore', 2, 2],
      env: {
        ...process.env,
        PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
        EC_BOOTSTRAP_PID: String(process.pid),
        ...env,
      },
    });
    const forward = SIGNALS.map((signal) => {
      const pass = () => void child.kill(signal);
      process.on(signal, pass);
      return () => process.off(signal, pass);
    });
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid !== parent) child.kill('SIGTERM');
    }, 500);
    const end = (/** @type {number} */ code) => {
      clearInterval(watch);
      for (const off of forward) off();
      done(code);
    };
    child.once('error', (error) => {
      say(`${command} could not be started: ${error.message}`);
      end(127);
    });
    child.once('exit', (code, signal) => end(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
