/** From what a handler gives, or throws, to a Response. */
import { ERROR_STATUS } from '@edgeconductor/sdk/contract';
import { toProblem } from '../../_shared/errors.ts';
import type { AppError } from '../../_shared/errors.ts';
import { Reply } from './route.ts';

const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'Link, X-Request-Id, X-Total-Count, Retry-After, Idempotency-Replayed, Content-Disposition',
};

/** Statuses that may not have a body. */
const EMPTY = new Set([204, 205, 304]);

export function toResponse(reply: Reply<unknown>, requestId: string): Response {
  const headers = new Headers({ ...CORS, 'X-Request-Id': requestId, 'Cache-Control': 'no-store' });
  for (const [name, value] of Object.entries(reply.headers)) headers.set(name, value);
  if (EMPTY.has(reply.status) || reply.body === undefined)
    return new Response(null, { status: reply.status, headers });
  if (headers.has('Content-Type'))
    return new Response(reply.body as BodyInit, { status: reply.status, headers });
  headers.set('Content-Type', 'application/json');
  return new Response(JSON.stringify(reply.body), { status: reply.status, headers });
}

export function toProblemResponse(error: AppError, requestId: string): Response {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
  if (error.extra.retry_after !== undefined) headers['Retry-After'] = String(error.extra.retry_after);
  if (error.code === 'unauthenticated') headers['WWW-Authenticate'] = 'Bearer';
  return toResponse(
    new Reply(ERROR_STATUS[error.code], JSON.stringify(toProblem(error, requestId)), headers),
    requestId,
  );
}

/** Answer to a browser that asks whether it may ask. */
export function preflight(requestId: string): Response {
  return toResponse(
    new Reply(204, undefined, {
      'Access-Control-Allow-Methods': 'GET, POST, PATCH, DELETE, OPTIONS',
      'Access-Control-Allow-Headers':
        'Authorization, Content-Type, Idempotency-Key, If-Match, X-Client-Token, X-Request-Id, apikey, x-client-info',
      'Access-Control-Max-Age': '86400',
    }),
    requestId,
  );
}

const SANE_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** The caller's own id when it is a sane one, so that a trace can cross systems. */
export function requestIdOf(header: string | null | undefined): string {
  return header && SANE_ID.test(header) ? header : crypto.randomUUID();
}
