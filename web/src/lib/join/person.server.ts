import type { EdgeConductor, Me } from '@edgeconductor/sdk';
import type { RequestEvent } from '@sveltejs/kit';
import { connectGuest } from '#lib/api/server.ts';
import { toProblem } from '#lib/problem.ts';

/** Who looks at a page that is open to everybody, and the API as them. */
export interface Visitor {
  /** Null for somebody who has not signed in. */
  me: Me | null;
  api: EdgeConductor;
}

/** A session that ended counts as none; its cookie goes, so that signing in starts afresh. */
export async function visitorOf(event: RequestEvent): Promise<Visitor> {
  const guest = { me: null, api: connectGuest(event) };
  if (!(await event.locals.auth.session())) return guest;
  try {
    return { me: await event.locals.me(), api: await event.locals.api() };
  } catch (cause) {
    if (toProblem(cause).code !== 'unauthenticated') throw cause;
    await event.locals.auth.signOut();
    return guest;
  }
}

/** Pages with somebody's code are nobody else's: caches do not keep them. */
export function keepPrivate({ setHeaders }: Pick<RequestEvent, 'setHeaders'>): void {
  setHeaders({ 'cache-control': 'private, no-store' });
}
