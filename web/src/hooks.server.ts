import { error, isRedirect, redirect, type RequestEvent } from '@sveltejs/kit';
import { sequence, type Handle, type HandleServerError } from '@sveltejs/kit/hooks';
import { PUBLIC_SUPABASE_URL } from '$app/env/public';
import { toProblem, type Problem } from '#lib/problem.ts';
import { connect } from '#lib/api/server.ts';
import { safeNext } from '#lib/auth/next-url.ts';
import { mayVisit, WELCOME } from '#lib/auth/roles.ts';
import { log } from '#lib/server/log.ts';
import { isEnhancedPost, sessionExpired } from '#lib/server/session-expired.ts';
import { Auth } from '#lib/supabase/auth.server.ts';

// What people reach before they have an account; these pages look for a session themselves.
const OPEN = /^\/((sign-in|sign-out|session|login)(\/|$)|(claim|claim-room|invite)\/?$)/;
const REQUEST_ID = /^[\w-]{8,64}$/;

/** One id per request: in the log, on error pages, and passed on to the API. */
const identify: Handle = async ({ event, resolve }) => {
  const started = performance.now();
  const given = event.request.headers.get('x-request-id');
  event.locals.requestId = given && REQUEST_ID.test(given) ? given : crypto.randomUUID();
  event.locals.denied = null;
  const response = await resolve(event);
  response.headers.set('x-request-id', event.locals.requestId);
  log('request', {
    request_id: event.locals.requestId,
    method: event.request.method,
    path: event.url.pathname,
    status: response.status,
    ms: Math.round(performance.now() - started),
  });
  return response;
};

const authenticate: Handle = async ({ event, resolve }) => {
  const { locals, url } = event;
  locals.auth = new Auth(event);
  let api: ReturnType<App.Locals['api']> | undefined;
  let me: ReturnType<App.Locals['me']> | undefined;
  locals.api = () =>
    (api ??= locals.auth.accessToken().then((token) => (token ? connect(token, event) : toSignIn(url))));
  locals.me = () => (me ??= locals.api().then((client) => client.me()));
  const response = await resolve(event);
  for (const [name, value] of Object.entries(locals.auth.responseHeaders)) response.headers.set(name, value);
  return response;
};

/** Every other page belongs to roles. Data requests and form posts of a page pass here as well. */
const routeByRole: Handle = async ({ event, resolve }) => {
  const { locals, url, route } = event;
  if (route.id === null || OPEN.test(url.pathname)) return resolve(event);
  try {
    // At the same time: the API verifies the token of its own accord, we verify the session.
    const [session, me] = await Promise.all([locals.auth.session(), locals.me()]);
    if (!session) return signedOut(event);
    const roles = me.memberships.map((membership) => membership.role);
    if (!mayVisit(url.pathname, roles)) {
      if (url.pathname === '/') redirect(303, me.home ?? WELCOME);
      locals.denied = notYours(locals.requestId);
    }
  } catch (cause) {
    if (isRedirect(cause) && isEnhancedPost(event) && cause.location.startsWith(SIGN_IN))
      return signedOut(event);
    if (isRedirect(cause)) throw cause;
    locals.denied = toProblem(cause);
    // The token is genuine but its session or person is gone. Kept, it would lead straight back here.
    if (locals.denied.code === 'unauthenticated') {
      await locals.auth.signOut();
      return signedOut(event);
    }
  }
  // A document shows the refusal inside the app's own error page; everything else gets the bare error.
  if (locals.denied && (event.isDataRequest || event.request.method !== 'GET')) {
    error(locals.denied.status, locals.denied.title, { problem: locals.denied });
  }
  return resolve(event);
};

/** Theme before the first paint; the addresses of the socket, known only now, into the security policy. */
const dress: Handle = async ({ event, resolve }) => {
  const theme = event.cookies.get('ec-theme');
  const attribute = theme === 'light' || theme === 'dark' ? `data-theme="${theme}"` : '';
  const response = await resolve(event, {
    transformPageChunk: ({ html }) => html.replace('%ec.theme%', attribute),
  });
  const policy = response.headers.get('content-security-policy');
  const socket = PUBLIC_SUPABASE_URL.replace(/^http/, 'ws');
  if (policy)
    response.headers.set(
      'content-security-policy',
      `${policy}; connect-src 'self' ${PUBLIC_SUPABASE_URL} ${socket}`,
    );
  response.headers.set('x-content-type-options', 'nosniff');
  // Not `no-referrer`: browsers would hide the origin of plain form posts, and those are refused then.
  response.headers.set('referrer-policy', 'same-origin');
  return response;
};

export const handle = sequence(identify, dress, authenticate, routeByRole);

export const handleError: HandleServerError = ({ kind, error: cause, event }) => {
  const requestId = event.locals.requestId;
  if (kind === 'app') return;
  if (kind === 'unknown') {
    const problem = toProblem(cause);
    const stack = cause instanceof Error ? cause.stack : String(cause);
    log('error', { request_id: requestId, path: event.url.pathname, code: problem.code, stack });
    return {
      message: problem.title,
      status: problem.status,
      problem: { ...problem, request_id: problem.request_id ?? requestId },
    };
  }
  return;
};

const SIGN_IN = '/sign-in?next=';

function toSignIn(url: URL): never {
  redirect(303, SIGN_IN + encodeURIComponent(safeNext(url.pathname + url.search)));
}

/** A form that was being filled in when the session ended stays as it is; everything else goes to sign-in. */
function signedOut(event: RequestEvent): Response {
  return isEnhancedPost(event) ? sessionExpired() : toSignIn(event.url);
}

function notYours(requestId: string): Problem {
  return {
    status: 403,
    code: 'forbidden',
    title: 'This page is not open to you',
    detail: 'Your account has no role for it. The admin of your organisation can give you one.',
    request_id: requestId,
  };
}
