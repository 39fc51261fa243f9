import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answer, keep } from './kept-room.ts';

const HERE = 'https://fleet.example';

/** As much of a CacheStorage as the worker uses. */
class FakeCaches {
  stored = new Map<string, Response>();
  url = (key: string | Request) => new URL(typeof key === 'string' ? key : key.url, HERE).href;
  match = async (key: string) => this.stored.get(this.url(key))?.clone();
  open = async () => ({
    put: async (key: string | Request, reply: Response) => void this.stored.set(this.url(key), reply),
    add: async (key: string) => void this.stored.set(this.url(key), await fetch(key)),
    keys: async () => [...this.stored.keys()].map((url) => ({ url })),
    delete: async (key: { url: string }) => this.stored.delete(key.url),
  });
  delete = async () => (this.stored.clear(), true);
}

let kept: FakeCaches;
const network = vi.fn<(input: string | Request) => Promise<Response>>();

beforeEach(() => {
  kept = new FakeCaches();
  network.mockReset();
  vi.stubGlobal('caches', kept);
  vi.stubGlobal('fetch', network);
});
afterEach(() => void vi.unstubAllGlobals());

const visit = (path: string, more: { method?: string; mode?: string } = {}) =>
  answer({ url: HERE + path, method: 'GET', mode: 'navigate', ...more } as Request, HERE);
const page = (text: string, status = 200) => new Response(text, { status });
const read = async (reply: Promise<Response> | null) => (await reply!).text();

describe('the room of a tenant without a network', () => {
  it('opens as it was last seen', async () => {
    network.mockResolvedValueOnce(page('21 degrees')).mockRejectedValueOnce(new TypeError('offline'));
    expect(await read(visit('/portal/room?room=1'))).toBe('21 degrees');
    expect(await read(visit('/portal/room'))).toBe('21 degrees');
  });

  it('opens as it was while the server is down, too', async () => {
    network.mockResolvedValueOnce(page('21 degrees')).mockResolvedValueOnce(page('starting', 503));
    await visit('/portal/room');
    expect(await read(visit('/portal/room'))).toBe('21 degrees');
  });

  it.each([403, 404, 0])('is forgotten when it is theirs no more (%s)', async (status) => {
    network.mockResolvedValueOnce(page('21 degrees'));
    await visit('/portal/room');
    // A redirect to sign-in reaches the worker as a reply without a status.
    network.mockResolvedValueOnce(status ? page('no', status) : ({ ok: false, status } as Response));
    await visit('/portal/room');
    expect(kept.stored.size).toBe(0);
  });

  it('is forgotten on signing out', async () => {
    network.mockResolvedValueOnce(page('21 degrees')).mockResolvedValueOnce(page('bye'));
    await visit('/portal/room');
    await visit('/sign-out', { method: 'POST' });
    expect(kept.stored.size).toBe(0);
  });

  it('keeps the files the page said it needs, and drops those of an older release', async () => {
    network.mockImplementation(async (input) => page(String(input)));
    const file = (name: string) => `${HERE}/_app/immutable/${name}.js`;
    await keep([file('old'), 'https://elsewhere.example/x.js'], HERE);
    await keep([file('new')], HERE);
    expect([...kept.stored.keys()].sort()).toEqual([file('new'), `${HERE}/portal/room`]);
    network.mockRejectedValue(new TypeError('offline'));
    expect(await read(visit('/_app/immutable/new.js', { mode: 'no-cors' }))).toBe(file('new'));
  });

  it.each(['/org', '/portal', '/api/rooms/1', '/portal/room/x'])('leaves %s alone', (path) => {
    expect(visit(path)).toBeNull();
  });
});
