import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../backoff.ts';
import { fetchRest, LinkExpired, TryLater, WrongSize, type Arrival } from './download.ts';

export interface FetchAllOptions {
  /** Where the image is now; null when nobody wants it any more. */
  url(): string | null;
  /** Whether there is a way out; without one, trying again is left to whoever sees it return. */
  open(): boolean;
  signal: AbortSignal;
  fetch: typeof fetch;
  onProgress(): void;
}

const TRIES = 10;

/**
 * Fetches the rest of an image over however many connections that takes, with jittered pauses, each going on where
 * the one before broke. `expired`: needs a fresh link. `waits`: no way out, or not wanted any more. `given_up`: ten
 * tries in a row brought nothing, or `wrong_size`: it is not the file that was announced. Rejects when the power goes.
 */
export async function fetchAll(
  arrival: Arrival,
  { url, open, signal, fetch, onProgress }: FetchAllOptions,
): Promise<'complete' | 'expired' | 'waits' | 'wrong_size' | 'given_up'> {
  const backoff = new Backoff();
  for (let failures = 0; failures < TRIES;) {
    const from = url();
    if (from === null) return 'waits';
    const before = arrival.received;
    try {
      await fetchRest(from, arrival, { signal, fetch, onProgress });
      return 'complete';
    } catch (error) {
      signal.throwIfAborted();
      // A link that was replaced meanwhile is worth a try.
      if (error instanceof LinkExpired && url() === from) return 'expired';
      if (error instanceof WrongSize) return 'wrong_size';
      if (!open()) return 'waits';
      failures = arrival.received > before ? 0 : failures + 1;
      const atLeast = error instanceof TryLater ? error.waitMs : 0;
      await sleep(atLeast + backoff.next(), undefined, { signal });
    }
  }
  return 'given_up';
}
