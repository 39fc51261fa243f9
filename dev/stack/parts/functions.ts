import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Part } from '../context.ts';
import { functionEnv } from '../function-env.ts';
import { deno, root } from '../paths.ts';
import { superviseChild } from '../supervised.ts';

/** One Edge Function in its own Deno process, as upstream isolates them. */
function edgeFunction(name: 'api' | 'worker'): Part {
  return {
    needs: ['db', 'auth', 'mail'],
    async start(context: Context) {
      const folder = join(root, 'supabase/functions', name);
      if (!existsSync(join(folder, 'index.ts'))) return undefined;
      const port = context.ports[name];
      return superviseChild(context, {
        name,
        healthUrl: `http://127.0.0.1:${port}/${name}/health`,
        child: {
          command: deno,
          args: [
            'run',
            '--allow-all',
            '--no-prompt',
            '--config',
            join(folder, 'deno.json'),
            join(folder, 'index.ts'),
          ],
          env: { ...functionEnv(context), DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` },
          cwd: root,
        },
      });
    },
  };
}

export const api = edgeFunction('api');
export const worker = edgeFunction('worker');
