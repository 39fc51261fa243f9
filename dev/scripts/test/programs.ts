import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program the tests need that npm does not bring. */
export interface Program {
  name: string;
  /** Environment variable through which tests receive its path, and through which a user may name one. */
  variable: string;
  /** Names it goes by, looked up on PATH and in the usual system folders. */
  names: string[];
  /** Debian packages that bring it. */
  packages: string[];
}

export const chromium: Program = {
  name: 'Chromium',
  variable: 'PLAYWRIGHT_CHROMIUM_PATH',
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
  packages: ['chromium'],
};

export const mosquitto: Program = {
  name: 'Mosquitto',
  variable: 'EC_MOSQUITTO_PATH',
  names: ['mosquitto'],
  packages: ['mosquitto', 'mosquitto-clients'],
};

export const mosquittoPub: Program = {
  name: 'mosquitto_pub',
  variable: 'EC_MOSQUITTO_PUB_PATH',
  names: ['mosquitto_pub'],
  packages: ['mosquitto-clients'],
};

const SYSTEM = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/snap/bin',
  '/opt/homebrew/bin',
];

/**
 * The path of a program: the one named in the environment, an installed one, or, for root on Debian,
 * a freshly installed one. Undefined when there is none.
 */
export function findOrInstall(program: Program): string | undefined {
  return find(program) ?? (install(program) ? find(program) : undefined);
}

/** What to tell somebody whose machine lacks the program. */
export function missingSentence(program: Program): string {
  return (
    `${program.name} is not installed. On Debian or Ubuntu: sudo apt-get install ${program.packages.join(' ')}. ` +
    `Elsewhere install it and set ${program.variable} to its path.`
  );
}

function find({ variable, names }: Program): string | undefined {
  const named = process.env[variable];
  if (named) return isExecutable(named) ? named : undefined;
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM].filter(Boolean);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

function install({ name, packages }: Program): boolean {
  if (process.getuid?.() !== 0 || !isExecutable('/usr/bin/apt-get')) return false;
  console.log(`Installing ${name} (apt-get install ${packages.join(' ')})`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', ...args], { env, stdio: 'ignore' }).status === 0;
  const get = () => apt('install', '-y', '--no-install-recommends', ...packages);
  // The package lists of a fresh image are empty or old.
  return get() || (apt('update') && get());
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
