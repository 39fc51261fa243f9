import { given, type Context, type Part } from '../context.ts';
import { startNetSender } from '../cron/net-sender.ts';
import { startScheduler } from '../cron/scheduler.ts';

/** What pg_cron and pg_net do on hosted: scheduled statements, and HTTP calls that statements queue. */
export const cron: Part = {
  needs: ['db'],
  async start(context: Context) {
    const postgres = given(context, 'postgres');
    const adminUrl = postgres.url('supabase_admin');
    const log = (message: string, more?: Record<string, unknown>): void => context.log('cron', message, more);
    const sender = await startNetSender(adminUrl);
    const scheduler = await startScheduler({ adminUrl, urlOf: (role) => postgres.url(role), log });
    return {
      async stop() {
        await scheduler.stop();
        await sender.stop();
      },
    };
  },
};
