import pg from 'pg';
import { jwtVerify } from 'jose';

/** Who a connection or channel acts as. */
export interface Identity {
  role: string;
  claims: Record<string, unknown>;
  /** Epoch seconds; undefined for API keys, which do not expire. */
  expiresAt: number | undefined;
}

export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
}

const ROLES = new Set(['anon', 'authenticated', 'service_role']);

export interface AccessOptions {
  jwtSecret: string;
  publishableKey: string;
  secretKey: string;
  /** Pool of the superuser: the check changes to the caller's role inside a transaction that is rolled back. */
  pool: pg.Pool;
}

export class Access {
  readonly #options: AccessOptions;
  readonly #secret: Uint8Array;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#secret = new TextEncoder().encode(options.jwtSecret);
  }

  isApiKey(key: string | null): key is string {
    return key === this.#options.publishableKey || key === this.#options.secretKey;
  }

  /** Throws AccessDenied with upstream's wording for a token that is wrong or expired. */
  async identify(token: string | undefined, apiKey: string): Promise<Identity> {
    const given = token ?? apiKey;
    if (given === this.#options.publishableKey)
      return { role: 'anon', claims: { role: 'anon' }, expiresAt: undefined };
    if (given === this.#options.secretKey)
      return { role: 'service_role', claims: { role: 'service_role' }, expiresAt: undefined };
    try {
      const { payload } = await jwtVerify(given, this.#secret, { algorithms: ['HS256'] });
      const role = String(payload['role'] ?? '');
      if (!ROLES.has(role) || payload.exp === undefined)
        throw new AccessDenied('InvalidJWTToken: Fields `role` and `exp` are required in JWT');
      return { role, claims: payload, expiresAt: payload.exp };
    } catch (error) {
      if (error instanceof AccessDenied) throw error;
      const expired = (error as { code?: string }).code === 'ERR_JWT_EXPIRED';
      throw new AccessDenied(
        expired
          ? 'InvalidJWTToken: Token has expired'
          : 'JwtSignatureError: Failed to validate JWT signature',
      );
    }
  }

  /**
   * Whether row-level security lets this identity read messages of the topic. As upstream: write one, look for
   * it as the caller, roll back.
   */
  async mayRead(topic: string, identity: Identity): Promise<boolean> {
    const client = await this.#options.pool.connect();
    try {
      await client.query('begin');
      await client.query(`set local statement_timeout = '3s'`);
      const { rows } = await client.query<{ id: string }>(
        `insert into realtime.messages (topic, extension, private) values ($1, 'broadcast', true) returning id`,
        [topic],
      );
      await client.query(
        `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true), set_config('realtime.topic', $3, true),
           set_config('request.jwt.claim.sub', $4, true), set_config('request.jwt.claim.role', $1, true)`,
        [identity.role, JSON.stringify(identity.claims), topic, String(identity.claims['sub'] ?? '')],
      );
      const seen = await client.query('select 1 from realtime.messages where id = $1', [rows[0]?.id]);
      return seen.rowCount === 1;
    } catch {
      // A policy that raises denies.
      return false;
    } finally {
      await client.query('rollback').catch(() => {});
      client.release();
    }
  }
}
