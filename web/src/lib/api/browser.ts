import { ConnectionError, EdgeConductor } from '@edgeconductor/sdk';
import { AccessToken } from '#lib/state/access-token.ts';
import { patientFetch } from '#lib/state/patient-fetch.ts';
import { sessionGate } from '#lib/state/session-gate.svelte.ts';

/** Short-lived, fetched from our own server, which keeps and refreshes the session. */
export const accessToken = new AccessToken(async (fresh) => {
  const headers = { accept: 'application/json' };
  const answer = await fetch(`/session/token${fresh ? '?fresh' : ''}`, { headers }).catch(unreachable);
  if (answer.ok) return (await answer.json()) as { access_token: string; expires_at: number };
  if (answer.status !== 401) unreachable();
  sessionGate.end();
  return null;
});

function unreachable(): never {
  throw new ConnectionError('The web server cannot be reached');
}

/** The page's own door to the API: `/api` on the same origin. */
export const ec = new EdgeConductor({
  baseUrl: '/api',
  accessToken: accessToken.get,
  fetch: patientFetch({
    token: accessToken,
    gate: sessionGate,
    fetch: (input, init) => fetch(input, init),
  }),
  maxRetries: 1,
});
