import { expect } from 'vitest';

/** Resolves when the present window of a limit still has so many seconds: what is counted then is in one window. */
export async function windowWithRoom(windowS: number, seconds: number): Promise<void> {
  await expect
    .poll(() => windowS - ((Date.now() / 1000) % windowS), { timeout: (seconds + 5) * 1000, interval: 200 })
    .toBeGreaterThan(seconds);
}
