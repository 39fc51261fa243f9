import { dirname } from 'node:path';
import { lineAt, type Problem, type SourceFile } from './problem.ts';

const HOME = /(?<![\w.~}$-])\/(?:home|Users|root)\/[\w.-]{2,}/g;
const SECRET =
  /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}|\bec_(?:live|prov|dev)_[A-Za-z0-9]{32,}/g;
const HOST = /"resolved":\s*"(?:https?|git\+?\w*):\/\/([^/"]+)/g;

/** Nothing of the machine it was written on: no home or checkout paths, no secrets, no registry hosts. */
export function checkLeaks(files: SourceFile[], root: string): Problem[] {
  return files.flatMap((file) => [...machinePaths(file, root), ...secrets(file), ...registryHosts(file)]);
}

function machinePaths({ path, text }: SourceFile, root: string): Problem[] {
  if (path.startsWith('dev/scripts/check/leaks') || path === 'package-lock.json') return [];
  const found = [...text.matchAll(HOME)].map((match) => ({ at: match.index, text: match[0] }));
  const parent = dirname(root);
  // Short parents such as `/` or `/app` are ordinary words in code.
  if (parent.length > 4) {
    for (let at = text.indexOf(`${parent}/`); at !== -1; at = text.indexOf(`${parent}/`, at + 1)) {
      if (!/[\w.~}$-]/.test(text[at - 1] ?? ' ')) found.push({ at, text: `${parent}/` });
    }
  }
  return found.map(({ at, text: leak }) => ({
    file: path,
    line: lineAt(text, at),
    message: `a path of one machine: ${leak}`,
    fix: 'build the path from the repository root or a temporary folder',
  }));
}

function secrets({ path, text }: SourceFile): Problem[] {
  if (path.startsWith('dev/scripts/check/leaks')) return [];
  return [...text.matchAll(SECRET)].map((match) => ({
    file: path,
    line: lineAt(text, match.index),
    message: 'looks like a private key or a live credential.',
    fix: 'make it at run time; tests generate their own',
  }));
}

function registryHosts({ path, text }: SourceFile): Problem[] {
  if (path === '.npmrc' && /^\s*(?:@[\w-]+:)?registry\s*=|_auth/m.test(text)) {
    return [
      { file: path, message: 'names a registry or a login.', fix: 'leave those to the user’s own .npmrc' },
    ];
  }
  if (!path.endsWith('package-lock.json')) return [];
  const first = text.matchAll(HOST).next().value;
  if (!first) return [];
  return [
    {
      file: path,
      line: lineAt(text, first.index),
      message: `the lock names a host (${first[1]}), so it installs from nowhere else.`,
      fix: 'npm install --package-lock-only --omit-lockfile-registry-resolved',
    },
  ];
}
