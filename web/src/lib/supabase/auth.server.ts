import { createServerClient } from '@supabase/ssr';
import type { RequestEvent } from '@sveltejs/kit';
import { SUPABASE_URL } from '$app/env/private';
import { PUBLIC_SUPABASE_PUBLISHABLE_KEY } from '$app/env/public';

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

export type AuthFailure = 'wrong' | 'too_many' | 'unreachable';

/**
 * Sign-in state of one request. The cookies are HttpOnly: the browser never sees the refresh token, it gets a
 * short-lived access token from `/session/token` instead.
 */
export class Auth {
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
  }

  /** Verified once per request, null for nobody. The cookie alone is never believed. */
  session(): Promise<Session | null> {
    return (this.#session ??= this.#verify());
  }

  /** Unverified, refreshed when it has run out: only for handing to the API, which verifies it itself. */
  accessToken(): Promise<string | null> {
    return this.#stored().then((stored) => stored?.access_token ?? null);
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
    if (!stored) return null;
    const { access_token, expires_at } = stored;
    const verified = await this.#client.auth.getClaims(access_token);
    if (verified.error || !verified.data) return null;
    const { sub, exp } = verified.data.claims;
    return { user_id: sub, access_token, expires_at: expires_at ?? exp };
  }

  async withPassword(email: string, password: string): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.signInWithPassword({ email, password });
    return failureOf(error);
  }

  /** Sends the six digits. Addresses we do not know get the same answer: nobody can find out who has an account. */
  async sendCode(email: string): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.signInWithOtp({ email, options: { shouldCreateUser: false } });
    const failure = failureOf(error);
    return failure === 'wrong' ? null : failure;
  }

  async withCode(email: string, code: string): Promise<AuthFailure | null> {
    const { error } = await this.#client.auth.verifyOtp({ email, token: code, type: 'email' });
    return failureOf(error);
  }

  async signOut(): Promise<void> {
    await this.#client.auth.signOut({ scope: 'local' });
  }
}

function failureOf(error: { status?: number | undefined } | null): AuthFailure | null {
  if (!error) return null;
  if (error.status === 429) return 'too_many';
  return error.status !== undefined && error.status >= 400 && error.status < 500 ? 'wrong' : 'unreachable';
}
