import type { Device, DeviceShadow } from '@edgeconductor/sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DesiredLive } from './desired-live.svelte.ts';

const T = Date.parse('2026-11-22T12:00:00.000Z');
const iso = (ms: number) => new Date(T + ms).toISOString();
const row = (version: number, desired: object, times: object = {}) =>
  ({ shadow_desired: desired, desired_version: version, desired_times: times }) as Device;

beforeEach(() => void vi.useFakeTimers({ now: T }));
afterEach(() => void vi.useRealTimers());

describe('what a device should be', () => {
  it('knows when each key was changed, nested ones by their newest leaf', () => {
    const times = { relay: iso(-5_000), pid: { kp: iso(-9_000), ki: { x: iso(-7_000) } }, odd: null };
    const desired = new DesiredLive(row(3, { relay: true, pid: { kp: 1, ki: { x: 2 } } }, times));
    expect(desired.version).toBe(3);
    expect(desired.changedAt('relay')).toBe(T - 5_000);
    expect(desired.changedAt('pid')).toBe(T - 7_000);
    expect(desired.changedAt('odd')).toBeNull();
  });

  it('follows live events, dates only what they change, and never goes back', () => {
    const desired = new DesiredLive(row(3, { relay: true, mode: 'eco' }, { relay: iso(-5), mode: iso(-9) }));
    vi.setSystemTime(T + 1_000);
    desired.hear({ serial: 'A', version: 4, desired: { relay: false, mode: 'eco' }, at: T + 700 });
    expect(desired.document).toEqual({ relay: false, mode: 'eco' });
    expect([desired.changedAt('relay'), desired.changedAt('mode')]).toEqual([T + 700, T - 9]);
    desired.hear({ serial: 'A', version: 3, desired: { relay: true, mode: 'eco' }, at: T });
    desired.refresh(row(2, {}));
    desired.accept({ desired_version: 1, desired: {}, desired_times: {} } as DeviceShadow);
    expect(desired.document).toEqual({ relay: false, mode: 'eco' });
  });

  it('measures waiting by the clock of the page, once it looked on', () => {
    const desired = new DesiredLive(row(1, { relay: true }, { relay: iso(60_000) }));
    expect(desired.heardAt('relay')).toBe(T + 60_000);
    vi.setSystemTime(T + 2_000);
    desired.hear({ serial: 'A', version: 2, desired: { relay: false }, at: T + 62_000 });
    expect(desired.heardAt('relay')).toBe(T + 2_000);
  });
});
