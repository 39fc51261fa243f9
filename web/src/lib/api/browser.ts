import { EdgeConductor } from '@edgeconductor/sdk';
import { AccessToken } from '#lib/state/access-token.ts';

/** Short-lived, fetched from our own server, which keeps and refreshes the session. */
export const accessToken = new AccessToken(async () => {
  const response = await fetch('/session/token', { headers: { accept: 'application/json' } });
  return response.ok ? ((await response.json()) as { access_token: string; expires_at: number }) : null;
});

/** The page's own door to the API: `/api` on the same origin. */
export const ec = new EdgeConductor({ baseUrl: '/api', accessToken: accessToken.get, maxRetries: 1 });
