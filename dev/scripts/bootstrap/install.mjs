import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './npm.mjs';
import { root, say } from './run.mjs';

/** @param {string} file @returns {Record<string, { version?: string, link?: boolean, optional?: boolean }> | undefined} */
function packages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Whether node_modules holds every version the lock names; packages for other platforms may be missing. */
export function isInstalled() {
  const wanted = packages('package-lock.json');
  const present = packages('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(
    ([path, { version, link, optional }]) =>
      !path.startsWith('node_modules/') ||
      link ||
      (optional && !present[path]) ||
      present[path]?.version === version,
  );
}

/** @param {string} node */
export async function install(node) {
  const begin = Date.now();
  say('Installing the packages of package-lock.json …');
  await npm(node, ['ci']);
  say(`Installed in ${((Date.now() - begin) / 1000).toFixed(0)} s.`);
}
