import { Attempts } from './attempts.ts';

/** As GoTrue's defaults: a handful of wrong codes or passwords per address, then a pause. */
const attempts = new Attempts(10, 5 * 60_000);

const GUARDED = new Set(['/auth/v1/verify', '/auth/v1/token']);

/**
 * Auth requests that lite would answer otherwise than hosted does: `verifyOtp({type:'email'})` is unknown to it
 * and it counts no attempts. Everything else passes untouched.
 */
export async function auth(
  request: Request,
  forward: (request: Request) => Promise<Response>,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method !== 'POST' || !GUARDED.has(pathname)) return forward(request);
  const body = await readJson(request);
  const key = attemptKey(pathname, body);
  const wait = key === undefined ? 0 : attempts.waitSeconds(key);
  if (wait > 0) return tooMany(wait);
  const response = await forward(withBody(request, mendVerify(pathname, body)));
  if (key !== undefined) {
    if (response.ok) attempts.succeeded(key);
    else attempts.failed(key);
  }
  return response;
}

type Json = Record<string, unknown>;

async function readJson(request: Request): Promise<Json> {
  try {
    const value: unknown = await request.clone().json();
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}

/** Only guesses count: a refresh token or a token hash cannot be guessed. */
function attemptKey(pathname: string, body: Json): string | undefined {
  if (typeof body['email'] !== 'string') return undefined;
  return `${pathname} ${body['email'].toLowerCase()}`;
}

function mendVerify(pathname: string, body: Json): Json {
  if (pathname !== '/auth/v1/verify' || body['type'] !== 'email') return body;
  return { ...body, type: 'magiclink' };
}

function withBody(request: Request, body: Json): Request {
  const headers = new Headers(request.headers);
  headers.delete('content-length');
  return new Request(request.url, { method: request.method, headers, body: JSON.stringify(body) });
}

const tooMany = (wait: number): Response =>
  Response.json(
    { code: 429, error_code: 'over_request_rate_limit', msg: 'Request rate limit reached' },
    {
      status: 429,
      headers: {
        'retry-after': String(wait),
        'x-sb-error-code': 'over_request_rate_limit',
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'x-sb-error-code, retry-after',
      },
    },
  );
