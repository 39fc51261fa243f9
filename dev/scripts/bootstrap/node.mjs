import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { npm } from './npm.mjs';
import { root, say } from './run.mjs';

const windows = process.platform === 'win32';
const installed = join(root, 'node_modules/node/bin', windows ? 'node.exe' : 'node');

/** @returns {string} such as 24.21.0 */
function pinnedVersion() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies.node;
}

/** @param {string} file @param {string} version */
function isNode(file, version) {
  try {
    return existsSync(file) && execFileSync(file, ['-v'], { encoding: 'utf8' }).trim() === `v${version}`;
  } catch {
    return false;
  }
}

/**
 * Path of the Node that package.json pins. Fetched as npm's platform package when it is not here yet, because
 * installing with another Node could pick other versions, and npm 12 may not run the install script of `node`.
 */
export async function pinnedNode() {
  const version = pinnedVersion();
  if (isNode(installed, version)) return installed;
  const kept = join(root, '.ec/toolchain', `node-${version}${windows ? '.exe' : ''}`);
  if (isNode(kept, version)) return kept;
  if (isNode(process.execPath, version)) return process.execPath;
  say(`Getting Node ${version} …`);
  mkdirSync(dirname(kept), { recursive: true });
  const folder = mkdtempSync(join(dirname(kept), 'fetch-'));
  try {
    const name = `node-${platform()}`;
    await npm(process.execPath, [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      `${name}@${version}`,
    ]);
    renameSync(join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node'), kept);
    chmodSync(kept, 0o755);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!isNode(kept, version))
    throw new Error(`Node ${version} does not run on this machine (${process.platform} ${process.arch}).`);
  return kept;
}

function platform() {
  const system = windows ? 'win' : process.platform;
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'bin-' : '';
  return `${prefix}${system}-${process.arch}`;
}

/**
 * Puts the pinned Node where npm's scripts find it, when the install script that should have was blocked.
 *
 * @param {string} node
 */
export function placePinnedNode(node) {
  if (!existsSync(installed)) {
    mkdirSync(dirname(installed), { recursive: true });
    try {
      linkSync(node, installed);
    } catch {
      // Another file system.
      copyFileSync(node, installed);
    }
    chmodSync(installed, 0o755);
  }
  const link = join(root, 'node_modules/.bin/node');
  if (windows || existsSync(link)) return;
  rmSync(link, { force: true });
  symlinkSync('../node/bin/node', link);
}
