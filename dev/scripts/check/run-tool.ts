import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

/** The repository root, absolute, without a trailing slash. */
export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[\\/]$/, '');

/** Environment in which the tools of node_modules, the pinned Node first, are found by name. */
export function toolEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const bin = join(root, 'node_modules/.bin');
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, ...extra };
}

/**
 * Runs a tool to its end.
 * @returns '' when it exits with 0, otherwise everything it printed (or why it could not start).
 */
export function command(
  tool: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(tool, args, {
      cwd: options.cwd ?? root,
      env: toolEnv({ FORCE_COLOR: '0', ...options.env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => resolve(`${tool} could not start: ${error.message}. Run npm ci.`));
    child.on('close', (code) =>
      resolve(
        code === 0 ? '' : stripVTControlCharacters(output).trim() || `${tool} ended with code ${code}.`,
      ),
    );
  });
}
