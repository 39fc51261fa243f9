import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';

/** What the numbers were measured on. Nothing in here says where on the machine things lie. */
export interface Machine {
  cpu: string;
  cores: number;
  memory_gib: number;
  system: string;
  node: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: systemName(),
    node: process.version,
  };
}

function systemName(): string {
  try {
    return /PRETTY_NAME="([^"]+)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}

/** The first line a program says about its version, or undefined when it is not there. */
export function versionOf(command: string, args: string[], pattern: RegExp): string | undefined {
  try {
    return pattern.exec(
      execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    )?.[1];
  } catch (error) {
    // mosquitto prints its version with its usage and leaves with an error code.
    const text = String((error as { stdout?: string }).stdout ?? '');
    return pattern.exec(text)?.[1];
  }
}
