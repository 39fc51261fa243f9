import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'hosted-1', alg: 'ES256', use: 'sig' };

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await startApi({ SUPABASE_JWKS: JSON.stringify({ keys: [jwk] }) });
  admin = await api.tokenOf(api.world.admin);
});
afterAll(() => api?.stop());

const ISSUER = 'http://supabase.test/auth/v1';
const soon = () => Math.floor(Date.now() / 1000) + 600;
const userOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
const status = async (as?: string) => (await api.get('/me', as)).status;

function signEs256(claims: object, header: object = { alg: 'ES256', kid: 'hosted-1' }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part(header)}.${part(claims)}`;
  const signature = signBytes('sha256', Buffer.from(head), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${head}.${signature.toString('base64url')}`;
}

describe('access tokens', () => {
  it('signed HS256 with the shared secret (stack) and ES256 with a published key (hosted) are both taken', async () => {
    expect(await status(admin)).toBe(200);
    expect(await status(signEs256({ ...userOf(admin), iss: ISSUER }))).toBe(200);
    expect(await status(api.sign({ ...userOf(admin), iss: ISSUER }))).toBe(200);
  });

  it('anything else is 401', async () => {
    const claims = userOf(admin);
    const publicPem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
    const wrong = {
      'no token': undefined,
      'no JWT': 'nonsense',
      'another secret': api.sign(claims, 'x'.repeat(64)),
      expired: api.sign({ ...claims, exp: soon() - 700 }),
      'without exp': api.sign({ ...claims, exp: undefined }),
      'of anon': api.sign({ ...claims, role: 'anon' }),
      'of service_role': api.sign({ ...claims, role: 'service_role' }),
      'for another audience': api.sign({ ...claims, aud: 'elsewhere' }),
      'without sub': api.sign({ ...claims, sub: undefined }),
      'sub is no uuid': api.sign({ ...claims, sub: "x' or true --" }),
      'session is no uuid': api.sign({ ...claims, session_id: "x'; select 1 --" }),
      'a made-up session': api.sign({ ...claims, session_id: '00000000-0000-4000-8000-000000000000' }),
      'no session': api.sign({ ...claims, session_id: undefined }),
      'pretends to be a key': api.sign({ ...claims, ec_kind: 'api_key', ec_id: claims['sub'] }),
      'a public key as HMAC secret': api.sign(claims, publicPem),
      'alg none': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${admin.split('.')[1]}.`,
      'unknown kid': signEs256({ ...claims, iss: ISSUER }, { alg: 'ES256', kid: 'other' }),
      'a key of its own in the header': signEs256(
        { ...claims, iss: ISSUER },
        { alg: 'ES256', kid: 'other', jwk: publicKey.export({ format: 'jwk' }) },
      ),
      'HS256 with the public key’s id': `${Buffer.from('{"alg":"HS256","kid":"hosted-1"}').toString('base64url')}.${admin.split('.').slice(1).join('.')}`,
      'another issuer': api.sign({ ...claims, iss: 'https://elsewhere.example/auth/v1' }),
      'another issuer, published key': signEs256({ ...claims, iss: 'https://elsewhere.example/auth/v1' }),
      'no issuer, published key': signEs256(claims),
      'not valid yet': api.sign({ ...claims, nbf: soon() }),
      'a changed payload': `${admin.split('.')[0]}.${Buffer.from(JSON.stringify({ ...claims, sub: (api.world.admin as { user: string }).user, x: 1 })).toString('base64url')}.${admin.split('.')[2]}`,
      'unknown api key': 'ec_live_unknown',
      'unknown provisioning key': 'ec_prov_unknown',
    };
    for (const [name, token] of Object.entries(wrong))
      expect([name, await status(token)]).toEqual([name, 401]);
    const answer = await api.get('/me');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect((await api.call('GET', '/me', { headers: { authorization: `Basic ${admin}` } })).status).toBe(401);
  });

  it('end with the session, at once', async () => {
    const token = await api.tokenOf(api.world.viewer);
    expect(await status(token)).toBe(200);
    await api.db.query('delete from auth.sessions where id = $1', [userOf(token)['session_id']]);
    expect(await status(token)).toBe(401);
  });

  it('carry no roles: what one says about them, where people can write, is not looked at', async () => {
    const claims = userOf(await api.tokenOf(api.world.viewer));
    const all = { role: 'admin', roles: ['admin'] };
    const token = api.sign({ ...claims, user_metadata: all, app_metadata: all, ...{ roles: ['admin'] } });
    expect((await api.get('/me', token)).body.role).toBe('viewer');
    expect((await api.get('/users', token)).status).toBe(403);
  });

  it('a live token opens Realtime, not the API', async () => {
    const { body } = await api.call('POST', '/live/token', {
      as: admin,
      body: { topics: ['device:acme-001'] },
    });
    const claims = userOf(body.token);
    expect(claims['ec_topics']).toEqual([body.leases[0].topic]);
    expect((claims['exp'] as number) - (claims['iat'] as number)).toBeLessThanOrEqual(600);
    expect(await status(body.token)).toBe(401);
  });
});

describe('keys', () => {
  it('end when revoked or expired, at once', async () => {
    const key = await api.apiKey(['read']);
    const { body } = await api.get('/me', key);
    expect(body).toMatchObject({ kind: 'api_key', org_id: api.world.org.id, scopes: ['read'] });
    expect((await api.call('DELETE', `/api-keys/${body.id}`, { as: admin })).status).toBe(204);
    expect(await status(key)).toBe(401);

    const expiring = await api.apiKey(['read']);
    const { id } = (await api.get('/me', expiring)).body;
    await api.db.query(`update public.api_keys set expires_at = now() - interval '1 second' where id = $1`, [
      id,
    ]);
    expect(await status(expiring)).toBe(401);
  });
});

describe('problems', () => {
  it('have one shape, with the request id in body and header', async () => {
    const { status, headers, body } = await api.get('/devices/EC-nobody', admin);
    expect([status, headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    expect(body).toEqual({
      type: 'urn:edgeconductor:error:not_found',
      title: 'Not found',
      status: 404,
      code: 'not_found',
      detail: expect.any(String),
      request_id: headers.get('x-request-id'),
    });
  });

  it('another tenant’s thing and a missing one are the same, but for the id', async () => {
    const token = await api.tokenOf(api.world.orgAdmin);
    const { stranger } = api.world;
    const nowhere = '00000000-0000-4000-8000-000000000000';
    const pairs: [string, string, string, unknown?][] = [
      ['GET', `/devices/${stranger.device.serial}`, '/devices/EC-nobody'],
      ['PATCH', `/devices/${stranger.device.serial}`, '/devices/EC-nobody', { name: 'x' }],
      ['DELETE', `/devices/${stranger.device.serial}`, '/devices/EC-nobody'],
      ['GET', `/devices/${stranger.device.serial}/telemetry`, '/devices/EC-nobody/telemetry'],
      [
        'GET',
        `/devices/${stranger.device.serial}/telemetry?buckets=auto`,
        '/devices/EC-nobody/telemetry?buckets=auto',
      ],
      ['GET', `/devices/${stranger.device.serial}/credentials`, '/devices/EC-nobody/credentials'],
      [
        'POST',
        `/devices/${stranger.device.serial}/credentials/rotate`,
        '/devices/EC-nobody/credentials/rotate',
        {},
      ],
      ['GET', `/devices/${stranger.device.serial}/dead-letters`, '/devices/EC-nobody/dead-letters'],
      ['PATCH', `/devices/acme-001/location`, `/devices/acme-001/location`, { location_id: stranger.room }],
      ['GET', `/orgs/${stranger.id}`, `/orgs/${nowhere}`],
      ['PATCH', `/orgs/${stranger.id}`, `/orgs/${nowhere}`, { name: 'x' }],
      ['GET', `/orgs/${stranger.id}/overview`, `/orgs/${nowhere}/overview`],
      ['GET', `/orgs/${stranger.id}/rooms`, `/orgs/${nowhere}/rooms`],
      ['POST', `/orgs/${stranger.id}/rooms`, `/orgs/${nowhere}/rooms`, { name: 'x' }],
      ['GET', `/orgs/${stranger.id}/locations`, `/orgs/${nowhere}/locations`],
      ['GET', `/orgs/${stranger.id}/audit`, `/orgs/${nowhere}/audit`],
      ['GET', `/orgs/${stranger.id}/dead-letters`, `/orgs/${nowhere}/dead-letters`],
      ['GET', `/orgs/${stranger.id}/api-keys`, `/orgs/${nowhere}/api-keys`],
      ['POST', `/orgs/${stranger.id}/api-keys`, `/orgs/${nowhere}/api-keys`, { name: 'x' }],
      ['PATCH', `/locations/${stranger.room}`, `/locations/${nowhere}`, { name: 'x' }],
      ['DELETE', `/locations/${stranger.room}`, `/locations/${nowhere}`],
      ['GET', `/rooms/${stranger.room}`, `/rooms/${nowhere}`],
      ['GET', `/rooms/${stranger.room}/climate`, `/rooms/${nowhere}/climate`],
      ['POST', '/live/token', '/live/token', { topics: [`org:${stranger.id}`] }],
    ];
    for (const [method, foreign, missing, body] of pairs) {
      const answers = await Promise.all(
        [foreign, missing].map((path) => api.call(method, path, { as: token, ...(body ? { body } : {}) })),
      );
      const bare = answers.map(({ body: { request_id: _, ...rest }, status }) => ({ status, ...rest }));
      expect([method, foreign, bare[0].status]).toEqual([method, foreign, 404]);
      expect(bare[0]).toEqual(bare[1]);
    }
  });

  it('malformed JSON is 400 with an issue, whatever the route', async () => {
    for (const [method, path] of [
      ['POST', '/orgs'],
      ['POST', '/devices/register'],
      ['PATCH', '/devices/acme-001'],
      ['POST', '/live/leases'],
    ] as const) {
      for (const raw of ['{"name":', '', '\u{feff}x', Uint8Array.of(0xff, 0xfe)]) {
        const { status, body } = await api.call(method, path, { as: admin, raw });
        expect([path, status, body.code, body.issues.length]).toEqual([path, 400, 'invalid_request', 1]);
      }
    }
  });

  it('unknown fields, wrong types and repeated query keys are named', async () => {
    const patch = await api.call('PATCH', '/devices/acme-001', { as: admin, body: { nmae: 'x', tags: [1] } });
    expect([patch.status, patch.body.issues.map((issue: { path: unknown }) => issue.path)]).toEqual([
      400,
      [['tags', 0], []],
    ]);
    const query = await api.get('/devices?limit=1&limit=2', admin);
    expect([query.status, query.body.issues[0].path]).toEqual([400, ['limit']]);
    for (const path of [
      '/devices?limit=0',
      '/devices?limit=501',
      '/devices?status=asleep',
      '/devices?after=nonsense',
      '/devices?org_id=1',
    ]) {
      expect([path, (await api.get(path, admin)).status]).toEqual([path, 400]);
    }
  });

  it('a body beyond the limit is 413', async () => {
    const { status, body } = await api.call('POST', '/orgs', {
      as: admin,
      raw: `{"name":"${'x'.repeat(300_000)}"}`,
    });
    expect([status, body.code, body.max_bytes]).toEqual([413, 'too_large', 262_144]);
  });

  it('texts that cannot be stored are refused before they reach the database', async () => {
    for (const name of ['a\u0000b', '\ud800', 'a\nb']) {
      expect((await api.call('POST', '/orgs', { as: admin, body: { name } })).status).toBe(400);
    }
    expect((await api.get('/devices?q=%00', admin)).status).toBe(400);
    expect((await api.get('/devices/EC%00X', admin)).status).toBe(404);
  });

  it('an unknown route or method is 404', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['PATCH', '/orgs'],
      ['GET', '/devices/../orgs/x'],
      ['GET', '/devices/a%2Fb'],
    ] as const) {
      expect((await api.call(method, path, { as: admin })).body.code).toBe('not_found');
    }
  });
});

describe('every answer', () => {
  it('carries a sane request id of the caller, or one of its own', async () => {
    const ask = async (id: string) =>
      (await api.call('GET', '/health', { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await ask('trace-2026.11_22')).toBe('trace-2026.11_22');
    for (const bad of ['short', 'x'.repeat(65), 'has space inside', '<script>alert</script>']) {
      expect(await ask(bad)).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('may be read by a browser of any origin', async () => {
    const preflight = await api.call('OPTIONS', '/devices', {
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'PATCH' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization.*idempotency-key/i);
    for (const path of ['/health', '/nothing']) {
      const { headers } = await api.get(path);
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-expose-headers')).toContain('Link');
    }
  });

  it('leaves one JSON line in the log, with the request id and without secrets', async () => {
    const key = await api.apiKey(['read']);
    await api.call('GET', '/devices', { as: key, headers: { 'x-request-id': 'find-me-in-the-log' } });
    await expect.poll(() => api.log.some((line) => line.includes('find-me-in-the-log'))).toBe(true);
    const line = JSON.parse(api.log.find((entry) => entry.includes('find-me-in-the-log'))!);
    expect(line).toMatchObject({ level: 'info', method: 'GET', route: '/devices', status: 200 });
    expect(api.log.join('\n')).not.toContain(key.slice(13, 30));
    expect(api.log.join('\n')).not.toContain(admin.split('.')[2]);
  });
});

describe('the document and health', () => {
  it('GET /openapi.json describes every route in OpenAPI 3.1, without a credential', async () => {
    const { status, body } = await api.get('/openapi.json');
    expect([status, body.openapi, body.servers]).toEqual([
      200,
      '3.1.0',
      [{ url: 'http://supabase.test/functions/v1/api' }],
    ]);
    expect(
      body.paths['/devices/{serial}/telemetry'].get.parameters.map((p: { name: string }) => p.name),
    ).toContain('hours');
    expect(Object.keys(body.components.schemas)).toEqual(
      expect.arrayContaining(['Device', 'Problem', 'RegisterReply']),
    );
  });

  it('GET /health asks the database', async () => {
    const { status, body } = await api.get('/health');
    expect([status, body.status, typeof body.database_ms]).toEqual([200, 'ok', 'number']);
  });

  it('without a database everything is 503 and says to try again', async () => {
    const broken = await startApi({ EC_DB_URL: 'postgresql://ec_api:x@127.0.0.1:1/postgres' });
    try {
      const answers = [
        await broken.get('/health'),
        await broken.call('POST', '/devices/EC-1/telemetry', { as: 'ec_dev_x', body: { temp: 1 } }),
      ];
      for (const { status, body, headers } of answers) {
        expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
      }
    } finally {
      await broken.stop();
    }
  });
});
