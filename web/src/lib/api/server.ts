import { EdgeConductor } from '@edgeconductor/sdk';
import type { RequestEvent } from '@sveltejs/kit';
import { EC_API_URL } from '$app/env/private';

const TIMEOUT_MS = 10_000;

/** The API for one request of one person, on the server. Its request id is ours, so one id finds both logs. */
export function connect(accessToken: string, { locals, fetch }: RequestEvent): EdgeConductor {
  const traced: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('x-request-id', locals.requestId);
    return fetch(input, { ...init, headers });
  };
  return new EdgeConductor({
    baseUrl: EC_API_URL,
    accessToken,
    fetch: traced,
    timeout: TIMEOUT_MS,
    maxRetries: 1,
  });
}
