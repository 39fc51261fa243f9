/** The link is of no use any more; a fresh one must be asked for. */
export class LinkExpired extends Error {
  override readonly name = 'LinkExpired';
}

/** The file is longer or shorter than announced. */
export class WrongSize extends Error {
  override readonly name = 'WrongSize';
}

/** The server asked for patience. */
export class TryLater extends Error {
  override readonly name = 'TryLater';
  readonly waitMs: number;

  constructor(status: number, waitMs: number) {
    super(`HTTP ${status}`);
    this.waitMs = waitMs;
  }
}

const PATIENT = [408, 425, 429];
const STALLED_MS = 30_000;

/** An image as far as it came; kept through cuts and restarts, so that nothing is fetched twice. */
export class Arrival {
  readonly bytes: Uint8Array<ArrayBuffer>;
  received = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  get complete(): boolean {
    return this.received === this.bytes.length;
  }

  /** Rounded down: 100 only with the last byte. */
  get percent(): number {
    return Math.floor((this.received / this.bytes.length) * 100);
  }

  add(chunk: Uint8Array): void {
    if (this.received + chunk.length > this.bytes.length) throw new WrongSize('longer than announced');
    this.bytes.set(chunk, this.received);
    this.received += chunk.length;
  }
}

export interface DownloadOptions {
  signal: AbortSignal;
  fetch: typeof fetch;
  onProgress(): void;
}

/**
 * Fetches what is missing, following redirects, and returns when all is there. Throws LinkExpired, WrongSize,
 * TryLater, or whatever broke the connection; what came before stays.
 */
export async function fetchRest(url: string, arrival: Arrival, options: DownloadOptions): Promise<void> {
  if (arrival.complete) return;
  const stalled = new AbortController();
  const watch = setTimeout(() => stalled.abort(new Error('nothing came for a while')), STALLED_MS);
  try {
    const response = await options.fetch(url, {
      ...(arrival.received > 0 ? { headers: { range: `bytes=${arrival.received}-` } } : {}),
      signal: AbortSignal.any([options.signal, stalled.signal]),
    });
    if (!response.ok) return await refuse(response);
    // A server that does not know Range begins again.
    if (response.status !== 206) arrival.received = 0;
    for await (const chunk of response.body ?? []) {
      watch.refresh();
      arrival.add(chunk as Uint8Array);
      options.onProgress();
    }
  } finally {
    clearTimeout(watch);
  }
  if (!arrival.complete) throw new Error(`the connection ended after ${arrival.received} bytes`);
}

async function refuse(response: Response): Promise<never> {
  await response.body?.cancel();
  const { status, headers } = response;
  if (status >= 500 || PATIENT.includes(status))
    throw new TryLater(status, (Number(headers.get('retry-after')) || 0) * 1_000);
  // There is nothing behind what came already.
  if (status === 416) throw new WrongSize('shorter than announced');
  throw new LinkExpired(`HTTP ${status}`);
}
