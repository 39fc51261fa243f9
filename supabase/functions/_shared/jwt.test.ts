import { generateKeyPair, SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { createVerifier } from './jwt.ts';

const verify = createVerifier({
  jwtSecret: null,
  jwks: null,
  supabaseUrl: 'http://127.0.0.1:1',
  jwtIssuers: ['http://127.0.0.1:1/auth/v1'],
});

it('a token whose key cannot be fetched is no bad token: the caller may try again', async () => {
  const { privateKey } = await generateKeyPair('ES256');
  const token = await new SignJWT({ sub: crypto.randomUUID(), role: 'authenticated' })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setIssuer('http://127.0.0.1:1/auth/v1')
    .setAudience('authenticated')
    .setExpirationTime('1h')
    .sign(privateKey);
  await expect(verify(token)).rejects.toMatchObject({ code: 'unavailable', extra: { retry_after: 1 } });
});

it.each(['nonsense', 'a.b.c', '', 'eyJhbGciOiJub25lIn0.e30.'])(
  '%j is refused without asking for keys',
  async (token) => {
    await expect(verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  },
);
