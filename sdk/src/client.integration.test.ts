import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type Asked, type ScriptedServer } from '../test/server.ts';
import * as sdk from './index.ts';

let server: ScriptedServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

const client = (options: Partial<sdk.ClientOptions> = {}) =>
  new sdk.EdgeConductor({ apiKey: 'ec_live_test', baseUrl: server.url, ...options });
const problem = (status: number, code: string, more = {}) => ({
  status,
  headers: { 'content-type': 'application/problem+json', 'x-request-id': 'request-1' },
  body: { type: 'x', title: 'Title', status, code, detail: 'What to do.', request_id: 'request-1', ...more },
});
const soon = { headers: { 'retry-after': '0' } };

describe('requests', () => {
  it('carry the credential, snake_case queries and JSON', async () => {
    server.script({ body: [] });
    await client().devices.list({ orgId: 'o-1', roomId: 'r-1', status: 'online', q: 'a b&c', limit: 5 });
    expect(server.asked[0]).toMatchObject({
      method: 'GET',
      url: '/api/devices?status=online&q=a+b%26c&limit=5&org_id=o-1&room_id=r-1',
      headers: { authorization: 'Bearer ec_live_test' },
    });
    await client().devices.update('EC-1', { name: 'x' });
    expect(server.asked[1]).toMatchObject({ method: 'PATCH', url: '/api/devices/EC-1', body: { name: 'x' } });
  });

  it('change what is desired, with the version it is meant for and a token that comes back', async () => {
    server.script({ body: { desired_version: 8, delta: {} } });
    const { desired_version } = await client().devices.setDesired(
      'EC-1',
      { relay: true, led: null },
      { ifVersion: 7, clientToken: 'press-1' },
    );
    expect(desired_version).toBe(8);
    expect(server.asked[0]).toMatchObject({
      method: 'PATCH',
      url: '/api/devices/EC-1/shadow/desired',
      headers: { 'if-match': '7', 'x-client-token': 'press-1' },
      body: { relay: true, led: null },
    });
    await client().devices.pushConfig('EC-1', { setpoint: 21 });
    expect(server.asked[1]).toMatchObject({ method: 'PATCH', body: { setpoint: 21 } });
    expect(server.asked[1]?.headers).not.toHaveProperty('if-match');
  });

  it('send commands, each once however often the request is repeated', async () => {
    server.script({ status: 503, ...soon }, { status: 201, body: { id: 'c-1', state: 'queued' } });
    expect(await client().commands.send('EC-1', { type: 'beep' })).toMatchObject({ id: 'c-1' });
    const keys = server.asked.map(({ headers }) => headers['idempotency-key']);
    expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
    server.script({ body: {} });
    await client().devices.reboot('EC-1');
    await client().commands.list('EC-1', { state: 'queued' });
    await client().commands.get('EC-1', 'c-1');
    await client().commands.cancel('EC-1', 'c-1');
    await client().devices.shadowHistory('EC-1', { limit: 5 });
    expect(server.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /api/devices/EC-1/reboot',
      'GET /api/devices/EC-1/commands?state=queued',
      'GET /api/devices/EC-1/commands/c-1',
      'DELETE /api/devices/EC-1/commands/c-1',
      'GET /api/devices/EC-1/shadow/history?limit=5',
    ]);
  });

  it('ask for the access token every time', async () => {
    server.script({ body: {} });
    let n = 0;
    const ec = new sdk.EdgeConductor({
      accessToken: async () => `token-${++n}`,
      baseUrl: `${server.url}///`,
    });
    await ec.me();
    await ec.me();
    expect(server.asked.map((asked) => [asked.url, asked.headers.authorization])).toEqual([
      ['/api/me', 'Bearer token-1'],
      ['/api/me', 'Bearer token-2'],
    ]);
  });

  it('keep parts of a path in their place', async () => {
    server.script({ body: {} });
    await client().devices.get('a/b?c#d');
    expect(server.asked[0]?.url).toBe('/api/devices/a%2Fb%3Fc%23d');
    for (const bad of ['', '.', '..'])
      await expect(client().devices.get(bad)).rejects.toThrow(sdk.EdgeConductorError);
  });

  it('use the given fetch', async () => {
    const seen: unknown[] = [];
    const own: typeof fetch = async (input) => {
      seen.push(input);
      return Response.json({ kind: 'user' });
    };
    expect(await client({ fetch: own, baseUrl: 'https://example.com/api' }).me()).toEqual({ kind: 'user' });
    expect(seen).toEqual(['https://example.com/api/me']);
  });

  it('without a base address fail at once', () => {
    expect(() => new sdk.EdgeConductor({ apiKey: 'x', baseUrl: '' })).toThrow('baseUrl');
  });
});

describe('errors', () => {
  it.each([
    [400, 'invalid_request', sdk.InvalidRequestError],
    [401, 'unauthenticated', sdk.AuthenticationError],
    [403, 'forbidden', sdk.PermissionDeniedError],
    [403, 'plan_limit', sdk.PermissionDeniedError],
    [404, 'not_found', sdk.NotFoundError],
    [409, 'serial_taken', sdk.ConflictError],
    [409, 'stale_version', sdk.ConflictError],
    [410, 'expired', sdk.ConflictError],
    [413, 'too_large', sdk.UnprocessableError],
    [422, 'unprocessable', sdk.UnprocessableError],
    [429, 'rate_limited', sdk.RateLimitError],
    [500, 'internal', sdk.ServerError],
    [503, 'unavailable', sdk.ServerError],
  ])('%i %s', async (status, code, type) => {
    server.script(problem(status, code, { issues: [{ path: ['a'], code: 'x', message: 'y' }], current: 7 }));
    const error = await client({ maxRetries: 0 })
      .devices.get('EC-1')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(type);
    expect(error).toBeInstanceOf(sdk.APIError);
    expect(error).toMatchObject({ status, code, requestId: 'request-1', message: 'What to do.' });
    expect((error as sdk.APIError).issues).toHaveLength(1);
    expect((error as sdk.APIError).problem['current']).toBe(7);
  });

  it('answers that are not ours become the error of their status', async () => {
    server.script({ status: 502, body: '<html>Bad gateway</html>' });
    await expect(client({ maxRetries: 0 }).me()).rejects.toMatchObject({
      name: 'ServerError',
      code: 'unavailable',
      status: 502,
    });
    server.script({ status: 404, body: { code: 'constructor', message: 'no' } });
    await expect(client().me()).rejects.toMatchObject({ name: 'NotFoundError', code: 'not_found' });
  });

  it('no answer, no answer in time, and your own signal are told apart', async () => {
    const nobody = client({ baseUrl: 'http://127.0.0.1:1', maxRetries: 0 });
    await expect(nobody.me()).rejects.toMatchObject({ name: 'ConnectionError' });
    server.script({ hang: true });
    await expect(client({ timeout: 50, maxRetries: 0 }).me()).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(client({ maxRetries: 0 }).me({ timeout: 50 })).rejects.toBeInstanceOf(sdk.ConnectionError);
    const abort = new AbortController();
    const waiting = client().me({ signal: abort.signal });
    await expect.poll(() => server.asked.length).toBe(3);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortedError' });
  });
});

describe('retries', () => {
  it('two by default, for what may pass', async () => {
    for (const first of [
      problem(503, 'unavailable'),
      problem(500, 'internal'),
      problem(429, 'rate_limited'),
      { drop: true },
    ]) {
      server.script({ ...first, ...('status' in first ? soon : {}) }, { body: { id: 'ok' } });
      expect(await client().devices.get('EC-1')).toEqual({ id: 'ok' });
      expect(server.asked).toHaveLength(2);
    }
    server.script({ status: 503, ...soon });
    await expect(client().me()).rejects.toBeInstanceOf(sdk.ServerError);
    expect(server.asked).toHaveLength(3);
  });

  it('none for what would be refused again', async () => {
    for (const status of [400, 401, 403, 404, 409, 422]) {
      server.script({ status });
      await expect(client().me()).rejects.toBeInstanceOf(sdk.APIError);
      expect(server.asked).toHaveLength(1);
    }
  });

  it('repeat a POST under one Idempotency-Key, another POST has another', async () => {
    server.script({ status: 503, ...soon }, { body: {} });
    await client().orgs.create({ name: 'x' });
    await client().orgs.create({ name: 'x' });
    await client().orgs.create({ name: 'x' }, { idempotencyKey: 'mine' });
    const keys = server.asked.map((asked) => asked.headers['idempotency-key']);
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(3);
    expect(keys[3]).toBe('mine');
    server.script({ body: {} });
    await client().me();
    expect(server.asked[0]?.headers).not.toHaveProperty('idempotency-key');
  });

  it('wait as long as the server asks, and not at all when that is too long', async () => {
    server.script({ status: 429, headers: { 'retry-after': '1' } }, { body: {} });
    const begin = performance.now();
    await client().me();
    expect(performance.now() - begin).toBeGreaterThanOrEqual(990);
    server.script({ ...problem(429, 'rate_limited'), headers: { 'retry-after': '3600' } });
    await expect(client().me()).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 3600 });
    expect(server.asked).toHaveLength(1);
  });

  it('end when the caller aborts in between', async () => {
    server.script({ status: 503, headers: { 'retry-after': '30' } });
    const abort = new AbortController();
    const waiting = client().me({ signal: abort.signal });
    await expect.poll(() => server.asked.length).toBe(1);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortedError' });
    expect(server.asked).toHaveLength(1);
  });
});

describe('lists', () => {
  const pages = (asked: Asked) => {
    const after = new URL(asked.url, 'http://x').searchParams.get('after');
    const next = { null: 'p2', p2: 'p3' }[String(after)];
    return {
      body: [{ page: after }, { page: after }],
      headers: {
        'x-total-count': '6',
        ...(next
          ? { link: `<https://elsewhere.example/fn/api/devices?limit=2&after=${next}>; rel="next"` }
          : {}),
      },
    };
  };

  it('awaited are the first page as an array', async () => {
    server.script(pages);
    const list = client().devices.list({ limit: 2 });
    expect(await list).toEqual([{ page: null }, { page: null }]);
    expect(Array.isArray(await list)).toBe(true);
    expect(await list.page()).toMatchObject({ next: 'p2', previous: null, total: 6 });
    expect(server.asked).toHaveLength(1);
  });

  it('iterated are all pages, asked one after another at the client’s own address', async () => {
    server.script(pages);
    const seen = [];
    for await (const device of client().devices.list({ limit: 2, q: 'x' })) seen.push(device);
    expect(seen).toHaveLength(6);
    expect(server.asked.map((asked) => asked.url)).toEqual([
      '/api/devices?limit=2&q=x',
      '/api/devices?limit=2&q=x&after=p2',
      '/api/devices?limit=2&q=x&after=p3',
    ]);
  });

  it('stop asking when the reader stops', async () => {
    server.script(pages);
    for await (const _ of client().devices.list()) break;
    expect(server.asked).toHaveLength(1);
    server.script(pages);
    expect(await client().devices.list().toArray(3)).toHaveLength(3);
    expect(server.asked).toHaveLength(2);
  });

  it('fail like any other call', async () => {
    server.script(problem(404, 'not_found'));
    await expect(client().audit.list('o-1')).rejects.toBeInstanceOf(sdk.NotFoundError);
    await expect(client().audit.list('o-1').toArray()).rejects.toBeInstanceOf(sdk.NotFoundError);
  });
});

describe('stream', () => {
  it('begins with the newest packet and gives every later one once', async () => {
    const row = (n: number) => ({ timestamp: new Date(n * 1000).toISOString(), n });
    server.script(
      { body: [row(1)] },
      { body: [row(1), row(2), row(3)] },
      { status: 500 },
      { body: [row(3), row(4)] },
    );
    const seen: unknown[] = [];
    const errors: unknown[] = [];
    const watch = client({ maxRetries: 0 }).telemetry.stream('EC-1', ({ n }) => seen.push(n), {
      intervalMs: 5,
      onError: (error) => errors.push(error),
    });
    await expect.poll(() => seen).toEqual([1, 2, 3, 4]);
    watch.stop();
    expect(errors).toHaveLength(1);
    const asked = server.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(server.asked.length).toBeLessThanOrEqual(asked + 1);
  });
});
