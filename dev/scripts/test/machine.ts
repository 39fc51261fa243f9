import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Facts as Addresses } from '../../stack/facts.ts';

/** The one JSON line of the machine form of `npm start`, with every part running. */
export type Facts = { [Name in keyof Addresses]: NonNullable<Addresses[Name]> };

export interface Machine {
  facts: Facts;
  /** Asks it to end, and throws when it has not within 10 seconds or ends with another code than 0. */
  stop(): Promise<void>;
}

export interface MachineOptions {
  program: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  limitSeconds: number;
  uid?: number;
  gid?: number;
}

/** Starts the system in its machine form and waits until it says that everything answers. */
export async function startMachine({
  program,
  args,
  limitSeconds,
  ...options
}: MachineOptions): Promise<Machine> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let out = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
  const ended = once(child, 'close') as Promise<[number | null]>;

  const line = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const match = /^\{.*\}$/m.exec(out);
      if (match) resolve(match[0]);
    });
  });
  const timer = AbortSignal.timeout(limitSeconds * 1000);
  const late = once(timer, 'abort').then(() => {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
    throw new Error(`nothing answered within ${limitSeconds} s. Last words:\n${errors}`);
  });
  const early = ended.then(([code]) => {
    throw new Error(`it ended with code ${code} before it answered. Last words:\n${errors}`);
  });
  const facts = JSON.parse(await Promise.race([line, late, early])) as Facts;
  early.catch(() => undefined);
  late.catch(() => undefined);

  return {
    facts,
    async stop() {
      process.kill(facts.pid, 'SIGTERM');
      const overdue = new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error('it had not ended 10 s after SIGTERM')), 10_000).unref(),
      );
      const [code] = await Promise.race([ended, overdue]);
      if (code !== 0) throw new Error(`it ended with code ${code} after SIGTERM`);
    },
  };
}
