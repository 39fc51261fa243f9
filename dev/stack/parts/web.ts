import { join } from 'node:path';
import type { Context, Part } from '../context.ts';
import { addresses } from '../facts.ts';
import { webGateway } from '../gateway/web.ts';
import { listenOn } from '../listen.ts';
import { root } from '../paths.ts';
import { superviseChild } from '../supervised.ts';
import { ensureWebBuild } from '../web-build.ts';

/** The dashboard: SvelteKit's Node server behind the web gateway. Built while the database boots. */
export const web: Part = {
  needs: ['auth', 'api'],
  prepare: (context) => ensureWebBuild(context.logFile('web-build'), context.signal, context.say),
  async start(context: Context, prepared) {
    const build = prepared as string;
    const gateway = await listenOn(webGateway(context.ports), context.ports.web);
    const site = await superviseChild(context, {
      name: 'web',
      healthUrl: `http://127.0.0.1:${context.ports.site}/sign-in`,
      child: { command: process.execPath, args: [join(build, 'index.js')], env: siteEnv(context), cwd: root },
    }).catch(async (error: unknown) => {
      await gateway.close();
      throw error;
    });
    return {
      async stop() {
        await gateway.close();
        await site.stop();
      },
    };
  },
};

function siteEnv(context: Context): NodeJS.ProcessEnv {
  const { supabase_url, api_url } = addresses(context);
  return {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    TZ: 'UTC',
    HOST: '127.0.0.1',
    PORT: String(context.ports.site),
    // The gateway sets these for every request, so one build serves any address and white-label host.
    PROTOCOL_HEADER: 'x-forwarded-proto',
    HOST_HEADER: 'x-forwarded-host',
    ADDRESS_HEADER: 'x-forwarded-for',
    SHUTDOWN_TIMEOUT: '2',
    SUPABASE_URL: supabase_url ?? '',
    PUBLIC_SUPABASE_URL: supabase_url ?? '',
    PUBLIC_SUPABASE_PUBLISHABLE_KEY: context.secrets.publishableKey,
    EC_API_URL: api_url ?? '',
    EC_WEB_SECRET: context.secrets.webSecret,
  };
}
