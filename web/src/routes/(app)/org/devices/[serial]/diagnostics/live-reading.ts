import { clock } from '#lib/state/clock.svelte.ts';
import type { DeviceSnapshot } from '#lib/state/device-snapshot.svelte.ts';

/** The newest number of a key: live while the page is open, else what the diagnostics were reached by. */
export function liveNumber(snapshot: DeviceSnapshot, key: string, stored: number): number {
  const value = snapshot.values.get(key)?.value;
  return typeof value === 'number' ? value : stored;
}

/** When it was taken, if that is too long ago to be the present; null for a fresh one. */
export function staleSince(snapshot: DeviceSnapshot, key: string): number | null {
  const value = snapshot.values.get(key);
  return value && snapshot.isStale(value, clock.now) ? value.at : null;
}
