import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/**
 * The access token of whoever is signed in, for the page's own calls to `/api` and for the live socket:
 * {access_token, expires_at}, 401 when nobody is. Refreshing happens here, on the server, so the refresh token
 * stays in its HttpOnly cookie. Without CORS headers no other site can read the answer.
 */
export const GET: RequestHandler = async ({ locals, request }) => {
  const site = request.headers.get('sec-fetch-site');
  const session = site === null || site === 'same-origin' ? await locals.auth.session() : null;
  const headers = { 'cache-control': 'private, no-store' };
  if (!session) return json({ code: 'unauthenticated' }, { status: 401, headers });
  return json({ access_token: session.access_token, expires_at: session.expires_at }, { headers });
};
