import type { RequestEvent } from '@sveltejs/kit';

const SENTENCE = 'Your session ended while you were away. Sign in again, then send this once more.';

/** A form posted by the page's own script, which can be told in words; a plain post can only be redirected. */
export function isEnhancedPost({ request }: Pick<RequestEvent, 'request'>): boolean {
  return request.method === 'POST' && request.headers.get('x-sveltekit-action') === 'true';
}

/**
 * SvelteKit's reply of a form action that failed, made by hand because the action never runs: `form` becomes
 * {sessionExpired: true, message}, the fields keep what was typed, and the layout asks the person to sign in.
 */
export function sessionExpired(): Response {
  // devalue: an array whose first item refers to the others by their index.
  const data = JSON.stringify([{ sessionExpired: 1, message: 2 }, true, SENTENCE]);
  return Response.json({ type: 'failure', status: 401, data }, { status: 401 });
}
