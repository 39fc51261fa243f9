import type { Context } from './context.ts';

export const ADMIN = { email: 'admin@example.com', password: 'edge-demo-2026' } as const;

/** The machine form's one line. A part that does not run has null. */
export interface Facts {
  web_url: string | null;
  api_url: string | null;
  supabase_url: string | null;
  publishable_key: string;
  secret_key: string;
  db_url: string | null;
  mqtt_url: string | null;
  mqtts_url: string | null;
  mqtts_ca: string | null;
  mail_url: string | null;
  metrics_url: string | null;
  admin: { email: string; password: string };
  pid: number;
}

export function addresses(context: Context): Facts {
  const { ports, has } = { ports: context.ports, has: context.has };
  const http = (port: number): string => `http://127.0.0.1:${port}`;
  return {
    web_url: has('web') ? http(ports.web) : null,
    api_url: has('api') ? `${http(ports.supabase)}/functions/v1/api` : null,
    supabase_url: has('auth') ? http(ports.supabase) : null,
    publishable_key: context.secrets.publishableKey,
    secret_key: context.secrets.secretKey,
    db_url: context.postgres?.url('postgres') ?? null,
    mqtt_url: has('broker') ? `mqtt://127.0.0.1:${ports.mqtt}` : null,
    mqtts_url: has('broker') ? `mqtts://127.0.0.1:${ports.mqtts}` : null,
    mqtts_ca: has('broker') ? context.tls.caFile : null,
    mail_url: has('mail') ? http(ports.mail) : null,
    metrics_url: has('bridge') ? `${http(ports.metrics)}/metrics` : null,
    admin: { ...ADMIN },
    pid: process.pid,
  };
}
