import { createServerClient } from '@supabase/ssr';
import type { RequestEvent } from '@sveltejs/kit';
import { SUPABASE_URL } from '$app/env/private';
import { PUBLIC_SUPABASE_PUBLISHABLE_KEY } from '$app/env/public';
import { failureOf, type AuthFailure } from './auth-failure.ts';
import { SecondFactor } from './second-factor.ts';

export type { AuthFailure } from './auth-failure.ts';

/** A verified sign-in. `expires_at` in epoch seconds. */
export interface Session {
  user_id: string;
  access_token: string;
  expires_at: number;
}

interface Stored {
  access_token: string;
  expires_at?: number;
}

/**
 * Sign-in state of one request. The cookies are HttpOnly: the browser never sees the refresh token, it gets a
 * short-lived access token from `/session/token` instead.
 */
export class Auth {
  readonly secondFactor: SecondFactor;
  #client: ReturnType<typeof createServerClient>;
  #cookie: Promise<Stored | null> | undefined;
  #session: Promise<Session | null> | undefined;
  /** What the answer must carry besides the cookies (no-store and kin). */
  readonly responseHeaders: Record<string, string> = {};

  constructor(event: RequestEvent) {
    const { port, protocol } = event.url;
    this.#client = createServerClient(SUPABASE_URL, PUBLIC_SUPABASE_PUBLISHABLE_KEY, {
      // Cookies ignore ports: two installations on one machine must not sign each other out.
      cookieOptions: {
        name: port ? `ec-auth-${port}` : 'ec-auth',
        path: '/',
        httpOnly: true,
        sameSite: 'lax',
        secure: protocol === 'https:',
      },
      cookies: {
        getAll: () => event.cookies.getAll(),
        setAll: (cookies, headers) => {
          for (const { name, value, options } of cookies)
            event.cookies.set(name, value, { ...options, path: '/' });
          Object.assign(this.responseHeaders, headers);
        },
      },
    });
    this.secondFactor = new SecondFactor(this.#client.auth, () => this.#forget());
  }

  /**
   * Verified once per request, null for nobody; the cookie alone is never believed. Somebody who still owes their
   * second factor is nobody yet.
   */
  session(): Promise<Session | null> {
    return (this.#session ??= this.#verify());
  }

  /** Unverified, refreshed when it has run out: only for handing to the API, which verifies it itself. */
  async accessToken(): Promise<string | null> {
    const stored = await this.#stored();
    return stored && !(await this.secondFactor.isOwed()) ? stored.access_token : null;
  }

  /** Asks the auth server itself for a new token; `wrong` when the session is over. */
  async refresh(): Promise<AuthFailure | null> {
    this.#forget();
    const { error } = await this.#client.auth.refreshSession();
    return failureOf(error);
  }

  #stored(): Promise<Stored | null> {
    return (this.#cookie ??= this.#readCookie());
  }

  async #readCookie(): Promise<Stored | null> {
    const { data } = await this.#client.auth.getSession();
    return data.session;
  }

  async #verify(): Promise<Session | null> {
    const stored = await this.#stored();
    if (!stored || (await this.secondFactor.isOwed())) return null;
    const { access_token, expires_at } = stored;
    const verified = await this.#client.auth.getClaims(access_token);
    if (verified.error || !verified.data) return null;
    const { sub, exp } = verified.data.claims;
    return { user_id: sub, access_token, expires_at: expires_at ?? exp };
  }

  /** What was read from the cookie is old after signing in or out. */
  #forget(): void {
    this.#cookie = undefined;
    this.#session = undefined;
  }

  async withPassword(email: string, password: string): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.signInWithPassword({ email, password });
    this.#forget();
    return failureOf(error);
  }

  /**
   * Sends the six digits. With `create` a new account begins, as scanning a code or following an invitation does;
   * without, addresses we do not know get the same answer: nobody can find out who has an account.
   */
  async sendCode(email: string, { create }: { create: boolean }): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.signInWithOtp({ email, options: { shouldCreateUser: create } });
    const failure = failureOf(error);
    return failure === 'too_many' || failure === 'unreachable' || create ? failure : null;
  }

  async withCode(email: string, code: string): Promise<AuthFailure | null> {
    const { data, error } = await this.#client.auth.verifyOtp({ email, token: code, type: 'email' });
    this.#forget();
    if (data.user && isNew(data.user.email_confirmed_at)) await this.#dropEarlierPassword();
    return failureOf(error);
  }

  /**
   * The address is proven for the first time. Whoever registered it before, with a password of their choice and
   * without being able to read its mail, must not share the account.
   */
  async #dropEarlierPassword(): Promise<void> {
    const unguessable = `A!${crypto.randomUUID()}${crypto.randomUUID()}`;
    await this.#client.auth.updateUser({ password: unguessable });
    await this.#client.auth.signOut({ scope: 'others' });
  }

  /** Mails the digits for a new password; unknown addresses get the same answer. */
  async sendRecovery(email: string): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.resetPasswordForEmail(email);
    const failure = failureOf(error);
    return failure === 'wrong' ? null : failure;
  }

  async withRecovery(email: string, code: string): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.verifyOtp({ email, token: code, type: 'recovery' });
    this.#forget();
    return failureOf(error);
  }

  /** `nonce`: the mailed digits, where the auth server wants them for somebody who signed in long ago. */
  async setPassword(password: string, nonce?: string): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.updateUser({ password, ...(nonce ? { nonce } : {}) });
    return failureOf(error);
  }

  /** Mails the digits that `setPassword` asks for when it answers `stale`. */
  async sendNonce(): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.reauthenticate();
    return failureOf(error);
  }

  /** `local`: this browser; `others`: all but this one; `global`: everywhere. */
  async signOut(scope: 'local' | 'others' | 'global' = 'local'): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.signOut({ scope });
    if (scope !== 'others') this.#forget();
    return failureOf(error);
  }
}

const NEW_FOR_MS = 900_000;

function isNew(confirmedAt: string | undefined): boolean {
  return confirmedAt !== undefined && Date.now() - Date.parse(confirmedAt) < NEW_FOR_MS;
}
