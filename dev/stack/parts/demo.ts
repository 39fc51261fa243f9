import { userCreator } from '../admin-user.ts';
import { given, type Context, type Part } from '../context.ts';
import { addresses } from '../facts.ts';

/** The demo organisation and its simulated fleet, on the real protocol. */
export const demo: Part = {
  needs: ['auth', 'api', 'worker', 'realtime', 'cron', 'broker', 'bridge'],
  async start(context: Context) {
    // Its code and that of its devices are loaded only when they run.
    const { startDemo } = await import('../demo/index.ts');
    const { api_url, supabase_url, mqtts_url, mqtts_ca, publishable_key } = addresses(context);
    const db_admin_url = given(context, 'postgres').url('supabase_admin');
    const running = await startDemo({
      publishable_key,
      api_url: api_url ?? '',
      supabase_url: supabase_url ?? '',
      mqtts_url: mqtts_url ?? '',
      mqtts_ca: mqtts_ca ?? '',
      db_admin_url,
      data_dir: context.dataDir,
      createUser: userCreator(db_admin_url),
      log: (message, more) => context.log('demo', message, more),
    });
    // A person may look while the past is still being written; a program wants all of it, and devices that stay on.
    if (context.options.json) await Promise.all([running.history, running.updates]);
    return running;
  },
};
