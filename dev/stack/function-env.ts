import { given, type Context } from './context.ts';
import { addresses } from './facts.ts';

/** Settings of ours that the caller gave, such as limits for a load test. */
export const ownSettings = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name.startsWith('EC_') && name !== 'EC_BOOTSTRAP_PID'),
  );

/**
 * The environment of the Edge Functions: what hosted Supabase sets, and our own settings as
 * `docs/deploy` lists them for production.
 */
export function functionEnv(context: Context): NodeJS.ProcessEnv {
  const { secrets, ports } = context;
  const postgres = given(context, 'postgres');
  const { supabase_url } = addresses(context);
  return {
    ...ownSettings(),
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    DENO_DIR: process.env['DENO_DIR'],
    DENO_NO_UPDATE_CHECK: '1',
    NO_COLOR: '1',
    TZ: 'UTC',
    SUPABASE_URL: supabase_url ?? '',
    SUPABASE_DB_URL: postgres.url('postgres'),
    SUPABASE_ANON_KEY: secrets.publishableKey,
    SUPABASE_SERVICE_ROLE_KEY: secrets.secretKey,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: secrets.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secrets.secretKey }),
    SUPABASE_JWKS: JSON.stringify({ keys: [] }),
    EC_JWT_SECRET: secrets.jwtSecret,
    EC_DB_URL: postgres.url('ec_api'),
    EC_WORKER_DB_URL: postgres.url('ec_worker'),
    EC_WORKER_SECRET: secrets.workerSecret,
    EC_WEB_SECRET: secrets.webSecret,
    // Either gateway of the stack writes who asked into X-Forwarded-For, whatever stood there.
    EC_TRUSTED_PROXIES: '1',
    EC_API_URL: `${supabase_url}/functions/v1/api`,
    EC_WEB_URL: `http://127.0.0.1:${ports.web}`,
    EC_MQTT_HOST: '127.0.0.1',
    EC_MQTT_PORT: String(ports.mqtts),
    EC_MQTT_CA: context.tls.ca,
    RESEND_BASE_URL: `http://127.0.0.1:${ports.mail}`,
    RESEND_API_KEY: 're_local',
    EC_MAIL_FROM: 'EdgeConductor <no-reply@localhost>',
  };
}
