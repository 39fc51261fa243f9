// Runs a task of this repository on a fresh checkout: gets the pinned Node, installs what the lock names, mends
// what npm left unfinished, then runs the task under that Node. Imports nothing that must be installed first and
// runs on Node 20 and later.
//
//   node dev/scripts/bootstrap.mjs <start|test|check|generate|…> [arguments of the task]
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mendBinaries } from './bootstrap/binaries.mjs';
import { install, isInstalled } from './bootstrap/install.mjs';
import { pinnedNode, placePinnedNode } from './bootstrap/node.mjs';
import { root, runToEnd } from './bootstrap/run.mjs';

const [task = '', ...args] = process.argv.slice(2);
const script = task === 'start' ? join(root, 'dev/stack/main.ts') : join(root, `dev/scripts/${task}.ts`);

try {
  if (!/^[a-z-]+$/.test(task) || !existsSync(script)) throw new Error(`There is no task "${task}".`);
  const node = await pinnedNode();
  if (!isInstalled()) await install(node);
  placePinnedNode(node);
  mendBinaries();
  process.exitCode = await runToEnd(node, [script, ...args], { forTask: true });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
