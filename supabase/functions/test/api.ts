/** The API as it runs: Deno in a process of its own, a database of its own, spoken to over HTTP. */
import { createHmac, randomBytes } from 'node:crypto';
import { openDatabase, type Actor, type Database } from '../../tests/harness/database.ts';
import { seedWorld, type World } from '../../tests/harness/world.ts';
import { startDeno } from './deno.ts';
import { startStore } from './store.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into answers of all shapes
  body: any;
  text: string;
}

export interface CallOptions {
  /** Bearer token: an access token, a key, or a device secret. */
  as?: string;
  body?: unknown;
  /** Sent as it is, whatever it is. */
  raw?: BodyInit;
  headers?: Record<string, string>;
}

type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

export interface TestApi {
  url: string;
  db: Database;
  world: World;
  jwtSecret: string;
  /** Lines the API logged so far. */
  log: string[];
  get(path: string, as?: string): Promise<Answer>;
  call: Call;
  /** Another running copy of the function on the same database; ends with `stop`. */
  copy(extra?: Record<string, string>): Promise<{ url: string; call: Call; log: string[] }>;
  /** An access token of a person, with a live session. */
  tokenOf(actor: Actor): Promise<string>;
  /** A person's token claims, for tokens that are wrong on purpose. */
  sign(claims: Record<string, unknown>, secret?: string): string;
  /** A new API key of the world's org, through the API. */
  apiKey(scopes: string[], orgId?: string): Promise<string>;
  /** Registers a device with an API key and gives its secret. */
  device(serial: string, key: string, productType?: string): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Limits of addresses are off unless `EC_ADDRESS_LIMITS` says otherwise: all tests come from one. With `store` there is
 * a Storage that keeps files.
 */
export async function startApi(
  extra: Record<string, string> = {},
  options: { store?: boolean } = {},
): Promise<TestApi> {
  const db = await openDatabase();
  const world = await seedWorld(db);
  const jwtSecret = randomBytes(32).toString('hex');
  const store = options.store ? await startStore(db, jwtSecret) : undefined;
  const env = {
    EC_DB_URL: db.url('ec_api'),
    SUPABASE_URL: 'http://supabase.test',
    SUPABASE_JWKS: '{"keys":[]}',
    EC_WEB_URL: 'http://web.test',
    EC_JWT_SECRET: jwtSecret,
    EC_MQTT_HOST: 'mqtt.test',
    EC_MQTT_CA: 'PEM',
    EC_DEVICE_REQUESTS_PER_MINUTE: '100000',
    EC_ADDRESS_LIMITS: 'off',
    ...(store && { SUPABASE_URL: store.url, SUPABASE_SERVICE_ROLE_KEY: store.key }),
    ...extra,
  };
  const { url, log, stop } = await startDeno('api', env);
  const stops = [stop];
  const call = caller(url);
  const sign = (claims: Record<string, unknown>, secret = jwtSecret): string => signHs256(claims, secret);
  const tokenOf = async (actor: Actor): Promise<string> => {
    if (actor === 'nobody' || !('user' in actor)) throw new Error('only people have tokens');
    const session_id = await db.value<string>(
      'insert into auth.sessions (id, user_id) values (gen_random_uuid(), $1) returning id',
      [actor.user],
    );
    const exp = Math.floor(Date.now() / 1000) + 3600;
    return sign({ sub: actor.user, session_id, role: 'authenticated', aud: 'authenticated', exp });
  };
  return {
    url,
    db,
    world,
    jwtSecret,
    log,
    call,
    get: (path, as) => call('GET', path, as === undefined ? {} : { as }),
    async copy(more = {}) {
      const other = await startDeno('api', { ...env, ...more });
      stops.push(other.stop);
      return { url: other.url, call: caller(other.url), log: other.log };
    },
    tokenOf,
    sign,
    async apiKey(scopes, orgId = world.org.id) {
      const as = await tokenOf(world.admin);
      const { body } = await call('POST', `/orgs/${orgId}/api-keys`, { as, body: { name: 'test', scopes } });
      return body.key;
    },
    async device(serial, key, product_type = 'EC-CLIMATE-V1') {
      const { body } = await call('POST', '/devices/register', {
        as: key,
        body: { serial_no: serial, product_type },
      });
      return body.mqtt_password;
    },
    async stop() {
      await Promise.all(stops.map((end) => end()));
      await store?.stop();
      await db.drop();
    },
  };
}

function caller(url: string): Call {
  return async (method, path, options = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(options.as === undefined ? {} : { authorization: `Bearer ${options.as}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      redirect: 'manual',
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      ...(options.raw !== undefined && { body: options.raw, duplex: 'half' }),
    } as RequestInit);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : text,
    };
  };
}

function signHs256(claims: Record<string, unknown>, secret: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}
