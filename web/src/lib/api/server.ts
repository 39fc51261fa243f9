import { EdgeConductor } from '@edgeconductor/sdk';
import type { RequestEvent } from '@sveltejs/kit';
import { EC_API_URL, EC_WEB_SECRET } from '$app/env/private';

const TIMEOUT_MS = 10_000;

/** The API for one request of one person, on the server. Its request id is ours, so one id finds both logs. */
export function connect(accessToken: string, event: RequestEvent): EdgeConductor {
  return client(event, { accessToken });
}

/** The API for somebody who has not signed in: previews of codes and invitations. */
export function connectGuest(event: RequestEvent): EdgeConductor {
  return client(event, {});
}

function client(event: RequestEvent, credential: { accessToken?: string }): EdgeConductor {
  return new EdgeConductor({
    ...credential,
    baseUrl: EC_API_URL,
    fetch: (input, init) => event.fetch(input, { ...init, headers: traced(event, init?.headers) }),
    timeout: TIMEOUT_MS,
    maxRetries: 1,
  });
}

/** Limits per address count the visitor, not this server. */
function traced(event: RequestEvent, given: HeadersInit | undefined): Headers {
  const headers = new Headers(given);
  headers.set('x-request-id', event.locals.requestId);
  const address = addressOf(event);
  if (address && EC_WEB_SECRET) {
    headers.set('x-ec-client-address', address);
    headers.set('x-ec-web-secret', EC_WEB_SECRET);
  }
  return headers;
}

/** Null when the proxy in front says nothing, as in health checks. */
function addressOf(event: RequestEvent): string | null {
  try {
    return event.getClientAddress();
  } catch {
    return null;
  }
}
