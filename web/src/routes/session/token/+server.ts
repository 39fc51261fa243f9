import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/**
 * The access token of whoever is signed in, for the page's own calls to `/api` and for the live socket:
 * {access_token, expires_at}, 401 when nobody is. `?fresh`: the API refused the last one, so the auth server is asked
 * whether the session still stands. Refreshing happens here, on the server, so the refresh token stays in its
 * HttpOnly cookie. Without CORS headers no other site can read the answer.
 */
export const GET: RequestHandler = async ({ locals, request, url }) => {
  const site = request.headers.get('sec-fetch-site');
  const ours = site === null || site === 'same-origin';
  const headers = { 'cache-control': 'private, no-store' };
  const failure = ours && url.searchParams.has('fresh') ? await locals.auth.refresh() : null;
  if (failure === 'unreachable') return json({ code: 'unavailable' }, { status: 503, headers });
  const session = ours && !failure ? await locals.auth.session() : null;
  if (!session) return json({ code: 'unauthenticated' }, { status: 401, headers });
  return json({ access_token: session.access_token, expires_at: session.expires_at }, { headers });
};
