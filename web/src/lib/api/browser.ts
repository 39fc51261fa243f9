import { EdgeConductor } from '@edgeconductor/sdk';
import { AccessToken } from '#lib/state/access-token.ts';

/** Short-lived, fetched from our own server, which keeps and refreshes the session. */
export const accessToken = new AccessToken(async () => {
  const response = await fetch('/session/token', { headers: { accept: 'application/json' } });
  if (response.ok) return (await response.json()) as { access_token: string; expires_at: number };
  // The session is over: signing in again leads back to this very page.
  if (response.status === 401)
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  return null;
});

/** The page's own door to the API: `/api` on the same origin. */
export const ec = new EdgeConductor({ baseUrl: '/api', accessToken: accessToken.get, maxRetries: 1 });
