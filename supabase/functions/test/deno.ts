/** An Edge Function as it runs: Deno in a process of its own, on a port of its own. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { binary, root } from '../../../dev/stack/paths.ts';

export interface DenoProcess {
  /** Of the function, with its name: `http://127.0.0.1:1234/api`. */
  url: string;
  /** Lines it logged so far. */
  log: string[];
  stop(): Promise<void>;
}

export async function startDeno(name: 'api' | 'worker', env: Record<string, string>): Promise<DenoProcess> {
  const folder = join(root, 'supabase/functions', name);
  const child = spawn(
    binary('deno'),
    ['run', '-A', '--config', join(folder, 'deno.json'), join(folder, 'index.ts')],
    {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        NO_COLOR: '1',
        DENO_NO_UPDATE_CHECK: '1',
        DENO_SERVE_ADDRESS: 'tcp:127.0.0.1:0',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const log: string[] = [];
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const address = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        const found = /Listening on (http:\/\/\S+?)\/?( |$)/.exec(line)?.[1];
        if (found) resolve(found);
        else log.push(line);
      });
    }
    void exited.then(() => reject(new Error(`The function did not start:\n${log.join('\n')}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    process.off('exit', kill);
  };
  return { url: `${await address}/${name}`, log, stop };
}
