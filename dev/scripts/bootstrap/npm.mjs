import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runToEnd } from './run.mjs';

/**
 * Runs npm: the one that runs us, or the one beside this Node, under the given Node. Our .npmrc silences npm
 * (see there); its errors are wanted here.
 *
 * @param {string} node
 * @param {string[]} args
 */
export async function npm(node, args) {
  const script = npmScript();
  const all = [...args, '--loglevel=error', '--no-audit', '--no-fund'];
  // In `npm start -- --json` npm would read our flags from its environment.
  const env = { npm_config_json: undefined, npm_config_loglevel: undefined };
  const code = script ? await runToEnd(node, [script, ...all], { env }) : await runToEnd('npm', all, { env });
  if (code !== 0) throw new Error(`npm ${args[0]} failed; its own words are above.`);
}

function npmScript() {
  const bin = dirname(process.execPath);
  return [
    process.env['npm_execpath'],
    join(bin, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(bin, 'node_modules/npm/bin/npm-cli.js'),
  ].find((path) => path !== undefined && /^npm-cli\.c?js$/.test(basename(path)) && existsSync(path));
}
