/** The room of a tenant, kept for times without a network. One cache: the page itself and the files it needs. */

const CACHE = 'ec-room';
const ROOM = '/portal/room';
/** A network that hangs in a cellar is as good as none. */
const PATIENCE_MS = 6000;

/** The reply to a request that is ours to answer; null for all others. */
export function answer(request: Request, origin: string): Promise<Response> | null {
  const url = new URL(request.url);
  if (url.origin !== origin) return null;
  if (request.method === 'POST' && url.pathname === '/sign-out') return forget().then(() => fetch(request));
  if (request.method !== 'GET') return null;
  if (request.mode === 'navigate' && url.pathname === ROOM) return room(request);
  if (url.pathname.startsWith('/_app/immutable/') || url.pathname === '/favicon.svg') return file(request);
  return null;
}

/** From the network, and kept; from before when there is none. A room that is not theirs any more is forgotten. */
async function room(request: Request): Promise<Response> {
  const before = await kept(ROOM);
  try {
    const reply = await fetch(request, before ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {});
    if (reply.ok) await (await caches.open(CACHE)).put(ROOM, reply.clone());
    else if (reply.status >= 500 && before) return before;
    else await forget();
    return reply;
  } catch (cause) {
    if (before) return before;
    throw cause;
  }
}

/** Their names change with their content, so what is kept is right. */
async function file(request: Request): Promise<Response> {
  return (await kept(request.url)) ?? fetch(request);
}

/** Looking for something makes no cache. */
const kept = (address: string) => caches.match(address, { cacheName: CACHE });

/** Keeps these files and, the first time, the page: it was loaded before the worker was there. */
export async function keep(addresses: readonly string[], origin: string): Promise<void> {
  const cache = await caches.open(CACHE);
  const wanted = new Set(addresses.filter((address) => new URL(address).origin === origin));
  const known = await cache.keys();
  const missing = [...wanted].filter((address) => !known.some(({ url }) => url === address));
  await Promise.allSettled(missing.map((address) => cache.add(address)));
  if (!known.some(({ url }) => new URL(url).pathname === ROOM)) await keepRoom(cache);
  await dropOld(cache, wanted);
}

async function keepRoom(cache: Cache): Promise<void> {
  const reply = await fetch(ROOM, { headers: { accept: 'text/html' }, redirect: 'manual' });
  if (reply.ok) await cache.put(ROOM, reply);
}

/** Files of an older release. */
async function dropOld(cache: Cache, wanted: ReadonlySet<string>): Promise<void> {
  const old = (await cache.keys()).filter(({ url }) => new URL(url).pathname !== ROOM && !wanted.has(url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

export async function forget(): Promise<void> {
  await caches.delete(CACHE);
}
