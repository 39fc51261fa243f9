import {
  createHmac,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
  sign as signWith,
  type KeyObject,
} from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';

const ISSUER = 'http://supabase.test/auth/v1';
const KID = 'key-1';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const own = pair();
const foreign = pair();
const jwk = { ...own.publicKey.export({ format: 'jwk' }), alg: 'ES256', kid: KID, use: 'sig' };
const pem = own.publicKey.export({ format: 'pem', type: 'spki' }) as string;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const hs256 = (claims: object, secret: string | Buffer, header: object = {}): string => {
  const head = `${part({ alg: 'HS256', typ: 'JWT', ...header })}.${part(claims)}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
};
const es256 = (claims: object, key: KeyObject = own.privateKey, header: object = {}): string => {
  const head = `${part({ alg: 'ES256', typ: 'JWT', kid: KID, ...header })}.${part(claims)}`;
  return `${head}.${signWith('sha256', Buffer.from(head), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
};
const unsigned = (claims: object, header: object): string => `${part(header)}.${part(claims)}.`;

let api: TestApi;
/** The same database behind a function that knows the auth server's public key and no secret, as hosted. */
let hosted: TestApi['call'];
let claims: Record<string, unknown>;

beforeAll(async () => {
  api = await startApi();
  hosted = (await api.copy({ EC_JWT_SECRET: '', SUPABASE_JWKS: JSON.stringify({ keys: [jwk] }) })).call;
  claims = await claimsOf((api.world.viewer as { user: string }).user);
});
afterAll(() => api?.stop());

const now = (): number => Math.floor(Date.now() / 1000);

/** What the auth server puts into a token of somebody who is signed in. */
async function claimsOf(user: string): Promise<Record<string, unknown>> {
  const session_id = await api.db.value<string>(
    'insert into auth.sessions (id, user_id) values (gen_random_uuid(), $1) returning id',
    [user],
  );
  const times = { iat: now(), exp: now() + 3600 };
  return { iss: ISSUER, aud: 'authenticated', role: 'authenticated', sub: user, session_id, ...times };
}

const without = (name: string): object =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));

/** Every change that has to make a good token bad, however it is signed. */
const SPOILT: [string, () => object][] = [
  ['it expired', () => ({ ...claims, iat: now() - 7200, exp: now() - 60 })],
  ['it never expires', () => without('exp')],
  ['it expires in words', () => ({ ...claims, exp: 'tomorrow' })],
  ['it is not valid yet', () => ({ ...claims, nbf: now() + 600 })],
  ['it is for another audience', () => ({ ...claims, aud: 'another' })],
  ['it is for nobody', () => without('aud')],
  ['it comes from another issuer', () => ({ ...claims, iss: 'https://evil.example/auth/v1' })],
  ['its issuer only begins like ours', () => ({ ...claims, iss: `${ISSUER}.evil.example` })],
  ['it says anon', () => ({ ...claims, role: 'anon' })],
  ['it says service_role', () => ({ ...claims, role: 'service_role' })],
  ['it says no role', () => without('role')],
  ['it is nobody’s', () => without('sub')],
  ['its person is no id', () => ({ ...claims, sub: `' or true --` })],
  ['it has no session', () => without('session_id')],
  ['its session never was', () => ({ ...claims, session_id: randomUUID() })],
  ['its session is somebody else’s word', () => ({ ...claims, session_id: `x' or true --` })],
  ['it is a key of ours in disguise', () => ({ ...claims, ec_kind: 'api_key', ec_id: randomUUID() })],
  ['it is for live topics only', () => ({ ...claims, ec_topics: ['org:x:1'] })],
];

const SETUPS = [
  {
    name: 'a shared secret (HS256)',
    call: () => api.call,
    sign: (given: object) => hs256(given, api.jwtSecret),
  },
  {
    name: 'public keys (ES256, JWKS)',
    call: () => hosted,
    sign: (given: object) => es256(given),
  },
];

describe.each(SETUPS)('with $name', ({ call, sign }) => {
  const statusOf = async (token: string, path = '/me'): Promise<number> =>
    (await call()('GET', path, { as: token })).status;

  it('a good token opens the door', async () => {
    expect(await statusOf(sign(claims))).toBe(200);
    expect(await statusOf(sign({ ...claims, aud: ['authenticated', 'more'] }))).toBe(200);
  });

  it.each(SPOILT)('refused, because %s', async (_why, spoilt) => {
    const answer = await call()('GET', '/me', { as: sign(spoilt()) });
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
  });

  it('refused without a signature, by whatever name "none" goes', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'HS0', null])
      expect(await statusOf(unsigned(claims, { alg, typ: 'JWT' })), String(alg)).toBe(401);
    expect(await statusOf(unsigned(claims, { typ: 'JWT' }))).toBe(401);
  });

  it('refused when the signature is cut off, empty, or of another token', async () => {
    const [head, body, signature] = sign(claims).split('.') as [string, string, string];
    const other = part({ ...claims, sub: (api.world.admin as { user: string }).user });
    for (const token of [
      `${head}.${body}`,
      `${head}.${body}.`,
      `${head}.${body}.AAAA`,
      `${head}.${other}.${signature}`,
      `${head}.${body}.${signature.slice(0, -2)}`,
      `${part({ alg: 'none' })}.${body}.${signature}`,
      `${head}.${body}.${signature}.${signature}`,
    ])
      expect(await statusOf(token)).toBe(401);
  });

  it('refused when somebody else signed', async () => {
    for (const token of [
      hs256(claims, randomBytes(32)),
      hs256(claims, ''),
      es256(claims, foreign.privateKey),
      es256(claims, foreign.privateKey, { kid: 'key-2' }),
      // Headers that bring their own key, or say where it is.
      es256(claims, foreign.privateKey, { jwk: foreign.publicKey.export({ format: 'jwk' }) }),
      es256(claims, foreign.privateKey, { jku: 'http://evil.example/jwks.json' }),
      es256(claims, foreign.privateKey, { x5u: 'http://evil.example/cert.pem' }),
      es256(claims, foreign.privateKey, { kid: '../../../../dev/null' }),
      hs256(claims, '', { kid: '/dev/null' }),
      es256(claims, own.privateKey, { crit: ['exp'], exp: 1 }),
    ])
      expect(await statusOf(token)).toBe(401);
  });

  it('refused when the public key is used as a secret', async () => {
    const { x, y } = jwk as unknown as { x: string; y: string };
    for (const secret of [
      pem,
      pem.trimEnd(),
      JSON.stringify(jwk),
      JSON.stringify({ keys: [jwk] }),
      `${x}${y}`,
      x,
    ])
      for (const header of [{}, { kid: KID }])
        expect(await statusOf(hs256(claims, secret, header))).toBe(401);
    const der = own.publicKey.export({ format: 'der', type: 'spki' });
    expect(await statusOf(hs256(claims, der))).toBe(401);
  });

  it('a role or an org that people wrote into their own profile counts for nothing', async () => {
    const words = { role: 'admin', roles: ['admin'], org_id: api.world.stranger.id, is_admin: true };
    const token = sign({
      ...claims,
      user_metadata: words,
      app_metadata: words,
      roles: ['admin'],
      user_role: 'admin',
    });
    const me = await call()('GET', '/me', { as: token });
    expect(me.body.memberships.map(({ role }: { role: string }) => role)).toEqual(['viewer']);
    expect(await statusOf(token, '/users')).toBe(403);
    expect(await statusOf(token, `/orgs/${api.world.stranger.id}`)).toBe(404);
  });

  it('refused from the moment its session is gone', async () => {
    const leaving = await claimsOf((api.world.operator as { user: string }).user);
    const token = sign(leaving);
    expect(await statusOf(token)).toBe(200);
    await api.db.query('delete from auth.sessions where id = $1', [leaving['session_id']]);
    expect(await statusOf(token)).toBe(401);
  });
});

it('a token of the other set-up is refused: a secret is no key, a key is no secret', async () => {
  expect((await hosted('GET', '/me', { as: hs256(claims, api.jwtSecret) })).status).toBe(401);
  expect((await api.call('GET', '/me', { as: es256(claims) })).status).toBe(401);
});

it('a key needs the right id and algorithm among several', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rsaJwk = { ...rsa.publicKey.export({ format: 'jwk' }), alg: 'RS256', kid: 'rsa-1', use: 'sig' };
  const { call } = await api.copy({
    EC_JWT_SECRET: '',
    SUPABASE_JWKS: JSON.stringify({ keys: [jwk, rsaJwk] }),
  });
  const statusOf = async (token: string): Promise<number> => (await call('GET', '/me', { as: token })).status;
  expect(await statusOf(es256(claims))).toBe(200);
  expect(await statusOf(es256(claims, own.privateKey, { kid: 'rsa-1' }))).toBe(401);
  expect(await statusOf(es256(claims, own.privateKey, { kid: 'key-9' }))).toBe(401);
});
