/** Everything the functions read from their environment, in one place. */

export interface Env {
  /** Connection of the role ec_api; hosted: the transaction pooler. */
  dbUrl: string;
  dbPool: number;
  supabaseUrl: string;
  /** Reaches Storage past row level security; null = no firmware. */
  serviceKey: string | null;
  /** Base of the REST API as devices reach it. */
  apiUrl: string;
  /** Web app, for claim links; null when there is none. */
  webUrl: string | null;
  /** HS256 secret: verifies tokens of the local stack, signs live tokens. */
  jwtSecret: string | null;
  /** Public keys of the auth server; null = fetched from it. */
  jwks: unknown;
  /** What `iss` of an access token may be; a token without `iss` is refused unless the shared secret signed it. */
  jwtIssuers: string[];
  /** Raised by load tests; null = the promised limit. */
  deviceRequestsPerMinute: number | null;
  /** False only for load tests, which come from one address. */
  addressLimits: boolean;
  /** How many proxies of ours stand before the function, each adding to X-Forwarded-For; 0 = none. */
  trustedProxies: number;
  /** With it the web server may say which visitor it asks for; null = it may not. */
  webSecret: string | null;
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
    serviceKey: maybe('SUPABASE_SERVICE_ROLE_KEY'),
    apiUrl: trimSlash(maybe('EC_API_URL') ?? `${supabaseUrl}/functions/v1/api`),
    webUrl: maybe('EC_WEB_URL') === null ? null : trimSlash(need('EC_WEB_URL')),
    jwtSecret: maybe('EC_JWT_SECRET'),
    jwks: jwks === null ? null : JSON.parse(jwks),
    jwtIssuers: [`${supabaseUrl}/auth/v1`, ...list(maybe('EC_JWT_ISSUERS'))],
    addressLimits: maybe('EC_ADDRESS_LIMITS') !== 'off',
    trustedProxies: count('EC_TRUSTED_PROXIES', maybe('EC_TRUSTED_PROXIES') ?? '0'),
    webSecret: maybe('EC_WEB_SECRET'),
    deviceRequestsPerMinute: Number(maybe('EC_DEVICE_REQUESTS_PER_MINUTE')) || null,
    mqtt: {
      host: maybe('EC_MQTT_HOST') ?? new URL(supabaseUrl).hostname,
      port: Number(maybe('EC_MQTT_PORT') ?? 8883),
      ca: maybe('EC_MQTT_CA'),
    },
  };
}

function list(text: string | null): string[] {
  return (text ?? '').split(',').flatMap((part) => part.trim() || []);
}

function count(name: string, text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new Error(`The environment variable ${name} is a number from 0 to 99`);
  return Number(text);
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
