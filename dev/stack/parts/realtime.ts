import { given, type Context, type Part } from '../context.ts';
import { startRealtime } from '../realtime/server.ts';

/** Live updates for browsers and the SDK, behind the Supabase gateway. */
export const realtime: Part = {
  needs: ['db', 'auth'],
  async start(context: Context) {
    const { jwtSecret, publishableKey, secretKey } = context.secrets;
    const adminUrl = given(context, 'postgres').url('supabase_admin');
    const server = await startRealtime({ adminUrl, jwtSecret, publishableKey, secretKey });
    context.realtime = server.onUpgrade;
    return {
      stop() {
        delete context.realtime;
        return server.stop();
      },
    };
  },
};
