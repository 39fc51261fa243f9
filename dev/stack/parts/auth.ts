import { join } from 'node:path';
import { given, type Context, type Part } from '../context.ts';
import { ADMIN } from '../facts.ts';
import { FileStorage } from '../file-storage.ts';
import { supabaseGateway } from '../gateway/supabase.ts';
import { listenOn } from '../listen.ts';
import { createLite } from '../lite-app.ts';
import { ensureAdmin } from '../admin-user.ts';

/** Auth, Data API and Storage behind the Supabase gateway, which also leads to the functions and Realtime. */
export const auth: Part = {
  needs: ['db', 'mail'],
  async start(context: Context) {
    const postgres = given(context, 'postgres');
    const mailbox = given(context, 'mailbox');
    await ensureAdmin(postgres.url('supabase_admin'), ADMIN);
    const lite = createLite({
      dbUrl: postgres.url('supabase_auth_admin'),
      secrets: context.secrets,
      siteUrl: `http://127.0.0.1:${context.ports.web}`,
      storage: new FileStorage(join(context.dataDir, 'storage')),
      email: {
        async send(message) {
          mailbox.deliver({ from: 'EdgeConductor <no-reply@localhost>', text: '', html: '', ...message });
        },
      },
    });
    await lite.app.init();
    const server = supabaseGateway({
      lite: lite.app,
      functions: {
        ...(context.has('api') ? { api: context.ports.api } : {}),
        ...(context.has('worker') ? { worker: context.ports.worker } : {}),
      },
      realtime: () => context.realtime,
    });
    const listening = await listenOn(server, context.ports.supabase);
    return {
      async stop() {
        await listening.close();
        await lite.close();
      },
    };
  },
};
