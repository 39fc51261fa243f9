import type { SupabaseClient } from '@supabase/supabase-js';
import { failureOf, type AuthFailure } from './auth-failure.ts';

export interface Factor {
  id: string;
  name: string | null;
  created_at: string;
}

/** What an authenticator app has to learn, shown once. */
export interface Enrolment {
  id: string;
  /** `data:image/svg+xml…` */
  qr: string;
  secret: string;
}

interface Factors {
  status?: unknown;
}

const ISSUER = 'EdgeConductor';

/** The six digits of an authenticator app, where the auth server offers them; elsewhere nothing of it shows. */
export class SecondFactor {
  #auth: SupabaseClient['auth'];
  #changed: () => void;

  /** `changed` is called when the session became another one. */
  constructor(auth: SupabaseClient['auth'], changed: () => void) {
    this.#auth = auth;
    this.#changed = changed;
  }

  /** Password or mailed code were right, and the digits of the app are still to come. */
  async isOwed(): Promise<boolean> {
    const { session } = (await this.#auth.getSession()).data;
    if (!session) return false;
    // Read past the client's warning that a cookie may be forged: that would only skip a page. The API does not take
    // a session of one proof from somebody who has a second factor.
    const factors: unknown = Object.getOwnPropertyDescriptor(session.user, 'factors')?.value;
    const verified = Array.isArray(factors) && factors.some(({ status }: Factors) => status === 'verified');
    return verified && assuranceOf(session.access_token) !== 'aal2';
  }

  /** The verified ones. */
  async list(): Promise<Factor[]> {
    const { data } = await this.#auth.mfa.listFactors();
    return (data?.totp ?? []).map(({ id, friendly_name, created_at }) => ({
      id,
      name: friendly_name ?? null,
      created_at,
    }));
  }

  async enrol(): Promise<
    { enrolment: Enrolment; failure: null } | { enrolment: null; failure: AuthFailure }
  > {
    await this.#dropUnfinished();
    // Two factors of one person may not share a name.
    const friendlyName = `Authenticator app, ${new Date().toISOString().slice(0, 16).replace('T', ' ')}`;
    const { data, error } = await this.#auth.mfa.enroll({ factorType: 'totp', issuer: ISSUER, friendlyName });
    if (!data) return { enrolment: null, failure: failureOf(error) ?? 'unreachable' };
    const { id, totp } = data;
    return { enrolment: { id, qr: encoded(totp.qr_code), secret: totp.secret }, failure: null };
  }

  /** Ends an enrolment and every sign-in with it. The session is a stronger one afterwards. */
  async verify(factorId: string, code: string): Promise<AuthFailure | null> {
    const { error } = await this.#auth.mfa.challengeAndVerify({ factorId, code });
    this.#changed();
    return failureOf(error);
  }

  /** With the digits of any of the person's apps. */
  async verifyAny(code: string): Promise<AuthFailure | null> {
    let failure: AuthFailure = 'wrong';
    for (const { id } of await this.list()) {
      const outcome = await this.verify(id, code);
      if (outcome !== 'wrong') return outcome;
      failure = outcome;
    }
    return failure;
  }

  async remove(factorId: string): Promise<AuthFailure | null> {
    const { error } = await this.#auth.mfa.unenroll({ factorId });
    if (!error) await this.#auth.refreshSession();
    this.#changed();
    return failureOf(error);
  }

  /** Somebody who closed the page half-way begins anew. */
  async #dropUnfinished(): Promise<void> {
    const { data } = await this.#auth.mfa.listFactors();
    const unfinished = (data?.all ?? []).filter((factor) => factor.status === 'unverified');
    await Promise.all(unfinished.map(({ id }) => this.#auth.mfa.unenroll({ factorId: id })));
  }
}

/** The client puts the drawing into the address as it is; a `#` in it would end the address. */
function encoded(dataUri: string): string {
  return `data:image/svg+xml,${encodeURIComponent(dataUri.replace(/^data:image\/svg\+xml;utf-8,/, ''))}`;
}

/** `aal1` after one proof of identity, `aal2` after two; unverified, from the token itself. */
function assuranceOf(token: string): unknown {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    return (JSON.parse(payload) as { aal?: unknown }).aal;
  } catch {
    return undefined;
  }
}
