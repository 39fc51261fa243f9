import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../.peers');

/**
 * Installs packages that only a peer needs, into a folder git ignores, with the npm the person has. Returns
 * that folder. Does nothing when they are there already.
 */
export function installPeers(name: string, packages: Record<string, string>): string {
  const home = join(folder, name);
  const wanted = JSON.stringify({ name: `bench-${name}`, private: true, dependencies: packages }, null, 2);
  const manifest = join(home, 'package.json');
  const complete = join(home, 'node_modules/.package-lock.json');
  if (existsSync(complete) && readFileSync(manifest, 'utf8') === wanted) return home;
  mkdirSync(home, { recursive: true });
  writeFileSync(manifest, wanted);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['install', '--no-audit', '--no-fund', '--omit=dev'], {
    cwd: home,
    stdio: ['ignore', 2, 2],
  });
  return home;
}
