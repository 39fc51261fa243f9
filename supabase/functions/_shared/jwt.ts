/** User access tokens: HS256 with the shared secret (local stack), ES256/RS256 with the auth server's public keys
 *  (hosted). The algorithm decides which key may verify, so a public key is never taken for a secret. */
import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose';
import type { Env } from './env.ts';
import { AppError } from './errors.ts';

/** What of a token reaches the database as `request.jwt.claims`; user_metadata never does. */
export interface UserClaims {
  sub: string;
  role: 'authenticated';
  aud: 'authenticated';
  session_id?: string;
  email?: string;
  aal?: string;
}

export type VerifyToken = (token: string) => Promise<UserClaims>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Throws AppError `unauthenticated` for anything that is not a live user token. */
export function createVerifier(
  env: Pick<Env, 'jwtSecret' | 'jwks' | 'supabaseUrl' | 'jwtIssuers'>,
): VerifyToken {
  const secret = env.jwtSecret === null ? null : new TextEncoder().encode(env.jwtSecret);
  const keys =
    env.jwks === null
      ? createRemoteJWKSet(new URL(`${env.supabaseUrl}/auth/v1/.well-known/jwks.json`))
      : createLocalJWKSet(env.jwks as JSONWebKeySet);
  return async (token) => {
    const payload = await verify(token, secret, keys, env.jwtIssuers);
    return toClaims(payload);
  };
}

async function verify(
  token: string,
  secret: Uint8Array | null,
  keys: JWTVerifyGetKey,
  issuers: string[],
): Promise<JWTPayload> {
  const rules = { audience: 'authenticated', clockTolerance: 5, requiredClaims: ['exp', 'sub'] };
  const refused = (cause: unknown): AppError =>
    new AppError('unauthenticated', 'The access token is not valid or has expired.', {}, { cause });
  let algorithm: string | undefined;
  try {
    algorithm = decodeProtectedHeader(token).alg;
  } catch (error) {
    throw refused(error);
  }
  try {
    if (algorithm === 'HS256') {
      if (secret === null) throw new Error('no shared secret');
      const { payload } = await jwtVerify(token, secret, { ...rules, algorithms: ['HS256'] });
      // The local auth server names no issuer; a project's secret is its own, so who signed is known all the same.
      if (payload.iss !== undefined && !issuers.includes(payload.iss)) throw new Error('another issuer');
      return payload;
    }
    const asymmetric = { ...rules, issuer: issuers, algorithms: ['ES256', 'RS256'] };
    return (await jwtVerify(token, keys, asymmetric)).payload;
  } catch (error) {
    // The token may be fine: its key could not be fetched.
    if (error instanceof TypeError || isCode(error, 'ERR_JWKS_TIMEOUT') || isCode(error, 'ERR_JOSE_GENERIC'))
      throw new AppError(
        'unavailable',
        'Sign-in does not answer; try again.',
        { retry_after: 1 },
        { cause: error },
      );
    throw refused(error);
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function toClaims(payload: JWTPayload): UserClaims {
  const { sub, session_id, email, aal, role } = payload;
  // A live token is good for Realtime only, not for the API.
  const isUser = role === 'authenticated' && !('ec_topics' in payload) && !('ec_kind' in payload);
  if (!isUser || typeof sub !== 'string' || !UUID.test(sub)) {
    throw new AppError('unauthenticated', 'This token is not an access token of a person.');
  }
  return {
    sub,
    role: 'authenticated',
    aud: 'authenticated',
    ...(typeof session_id === 'string' && UUID.test(session_id) ? { session_id } : {}),
    ...(typeof email === 'string' ? { email } : {}),
    ...(typeof aal === 'string' ? { aal } : {}),
  };
}

/** Signs a token for Realtime with the shared secret. */
export function signToken(secret: string, claims: JWTPayload, expiresAt: Date): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime(Math.floor(expiresAt.getTime() / 1000))
    .sign(new TextEncoder().encode(secret));
}
