/** Everything the functions read from their environment, in one place. */

export interface Env {
  /** Connection of the role ec_api; hosted: the transaction pooler. */
  dbUrl: string;
  dbPool: number;
  supabaseUrl: string;
  /** Base of the REST API as devices reach it. */
  apiUrl: string;
  /** Web app, for claim links; null when there is none. */
  webUrl: string | null;
  /** HS256 secret: verifies tokens of the local stack, signs live tokens. */
  jwtSecret: string | null;
  /** Public keys of the auth server; null = fetched from it. */
  jwks: unknown;
  /** Raised by load tests; null = the promised limit. */
  deviceRequestsPerMinute: number | null;
  mqtt: { host: string; port: number; ca: string | null };
}

export type ReadVariable = (name: string) => string | undefined;

/** Throws one sentence naming what is missing. */
export function readEnv(read: ReadVariable): Env {
  const need = (name: string): string => {
    const value = read(name);
    if (value === undefined || value === '') throw new Error(`The environment variable ${name} is missing`);
    return value;
  };
  const maybe = (name: string): string | null => read(name) || null;
  const supabaseUrl = trimSlash(need('SUPABASE_URL'));
  const jwks = maybe('SUPABASE_JWKS');
  return {
    dbUrl: need('EC_DB_URL'),
    dbPool: Number(maybe('EC_DB_POOL') ?? 10),
    supabaseUrl,
    apiUrl: trimSlash(maybe('EC_API_URL') ?? `${supabaseUrl}/functions/v1/api`),
    webUrl: maybe('EC_WEB_URL') === null ? null : trimSlash(need('EC_WEB_URL')),
    jwtSecret: maybe('EC_JWT_SECRET'),
    jwks: jwks === null ? null : JSON.parse(jwks),
    deviceRequestsPerMinute: Number(maybe('EC_DEVICE_REQUESTS_PER_MINUTE')) || null,
    mqtt: {
      host: maybe('EC_MQTT_HOST') ?? new URL(supabaseUrl).hostname,
      port: Number(maybe('EC_MQTT_PORT') ?? 8883),
      ca: maybe('EC_MQTT_CA'),
    },
  };
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
