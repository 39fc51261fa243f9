/** The API as it runs: Deno in a process of its own, a database of its own, spoken to over HTTP. */
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { binary, root } from '../../../dev/stack/paths.ts';
import { openDatabase, type Actor, type Database } from '../../tests/harness/database.ts';
import { seedWorld, type World } from '../../tests/harness/world.ts';

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

export interface TestApi {
  url: string;
  db: Database;
  world: World;
  jwtSecret: string;
  /** Lines the API logged so far. */
  log: string[];
  get(path: string, as?: string): Promise<Answer>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
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

export async function startApi(extra: Record<string, string> = {}): Promise<TestApi> {
  const db = await openDatabase();
  const world = await seedWorld(db);
  const jwtSecret = randomBytes(32).toString('hex');
  const { url, log, stop } = await startDeno({
    EC_DB_URL: db.url('ec_api'),
    SUPABASE_URL: 'http://supabase.test',
    SUPABASE_JWKS: '{"keys":[]}',
    EC_WEB_URL: 'http://web.test',
    EC_JWT_SECRET: jwtSecret,
    EC_MQTT_HOST: 'mqtt.test',
    EC_MQTT_CA: 'PEM',
    EC_DEVICE_REQUESTS_PER_MINUTE: '100000',
    ...extra,
  });
  const call = async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(options.as === undefined ? {} : { authorization: `Bearer ${options.as}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
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
      await stop();
      await db.drop();
    },
  };
}

async function startDeno(
  env: Record<string, string>,
): Promise<{ url: string; log: string[]; stop(): Promise<void> }> {
  const folder = join(root, 'supabase/functions/api');
  const child = spawn(
    binary('deno'),
    ['run', '-A', '--config', join(folder, 'deno.json'), join(folder, 'index.ts')],
    {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        NO_COLOR: '1',
        DENO_NO_UPDATE_CHECK: '1',
        DENO_SERVE_ADDRESS: 'tcp:127.0.0.1:0',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  process.once('exit', () => child.kill('SIGKILL'));
  const log: string[] = [];
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const address = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        const found = /Listening on (http:\/\/\S+?)\/?( |$)/.exec(line)?.[1];
        if (found) resolve(found);
        else log.push(line);
      });
    }
    void exited.then(() => reject(new Error(`The API did not start:\n${log.join('\n')}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  return { url: `${await address}/api`, log, stop };
}

function signHs256(claims: Record<string, unknown>, secret: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}
