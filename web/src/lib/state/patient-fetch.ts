import type { AccessToken } from './access-token.ts';
import type { SessionGate } from './session-gate.svelte.ts';

interface Doors {
  token: Pick<AccessToken, 'get' | 'renew'>;
  gate: Pick<SessionGate, 'restored'>;
  fetch: typeof fetch;
}

const SIGNED_OUT = JSON.stringify({
  type: 'about:blank',
  title: 'Sign in or send a valid credential',
  status: 401,
  code: 'unauthenticated',
  detail: 'Your session has ended.',
});

/**
 * `fetch` for calls on behalf of whoever is signed in. A refused token is renewed once. When the session is over,
 * reading fails at once (the screen keeps what it has) and writing waits until the person is back: nothing that was
 * typed is lost.
 */
export function patientFetch({ token, gate, fetch }: Doors): typeof globalThis.fetch {
  const send = (input: RequestInfo | URL, init: RequestInit | undefined, bearer: string, late: boolean) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${bearer}`);
    // The time limit of the first attempt is long over when somebody had to sign in again.
    return fetch(input, { ...init, headers, ...(late ? { signal: null } : {}) });
  };

  return async (input, init) => {
    const first = bearerOf(init);
    if (first !== null) {
      const answer = await fetch(input, init);
      if (answer.status !== 401) return answer;
      const renewed = await token.renew(first);
      if (renewed !== null) return send(input, init, renewed, false);
    }
    const headers = { 'content-type': 'application/problem+json' };
    if ((init?.method ?? 'GET') === 'GET') return new Response(SIGNED_OUT, { status: 401, headers });
    await gate.restored();
    const again = await token.get();
    return again === null
      ? new Response(SIGNED_OUT, { status: 401, headers })
      : send(input, init, again, true);
  };
}

function bearerOf(init: RequestInit | undefined): string | null {
  return /^Bearer (.+)$/.exec(new Headers(init?.headers).get('authorization') ?? '')?.[1] ?? null;
}
