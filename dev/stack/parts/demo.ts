import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { userCreator, type CreateUser } from '../admin-user.ts';
import { given, type Context, type Part, type RunningPart } from '../context.ts';
import { addresses, type Facts } from '../facts.ts';
import { root } from '../paths.ts';

/** What the demo gets: where everything is, and what only the stack can do for it. */
export interface DemoContext extends Facts {
  /** Postgres as the superuser. */
  db_admin_url: string;
  data_dir: string;
  createUser: CreateUser;
  log(message: string, more?: Record<string, unknown>): void;
}

interface RunningDemo extends RunningPart {
  /** Settles when the history is written; never rejects. */
  history: Promise<unknown>;
}

/** The demo organisation and its simulated fleet, on the real protocol. */
export const demo: Part = {
  needs: ['auth', 'api', 'worker', 'realtime', 'cron', 'broker', 'bridge'],
  async start(context: Context) {
    const entry = join(root, 'dev/stack/demo/index.ts');
    if (!existsSync(entry)) {
      context.say('The demo is not written yet.');
      return { stop: () => Promise.resolve() };
    }
    const { startDemo } = (await import(entry)) as { startDemo(demo: DemoContext): Promise<RunningDemo> };
    const db_admin_url = given(context, 'postgres').url('supabase_admin');
    const running = await startDemo({
      ...addresses(context),
      db_admin_url,
      data_dir: context.dataDir,
      createUser: userCreator(db_admin_url),
      log: (message, more) => context.log('demo', message, more),
    });
    // A person may look while the past is still being written; a program wants all of it.
    if (context.options.json) await running.history;
    return running;
  },
};
