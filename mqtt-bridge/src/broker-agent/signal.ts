import { readFileSync } from 'node:fs';

/** @throws when the file is missing, holds no process id (an empty one would mean our own group), or it is gone */
export function signalPidFile(path: string, signal: NodeJS.Signals): void {
  const pid = Number(readFileSync(path, 'utf8').trim());
  if (!Number.isInteger(pid) || pid <= 1) throw new Error(`${path} holds no process id`);
  process.kill(pid, signal);
}
