import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveSweep } from './live-sweep.ts';

describe('LiveSweep', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('runs every 500 ms while anybody looks and every 2 s otherwise', async () => {
    let leases = 0;
    let sweeps = 0;
    const sweep = new LiveSweep(
      async () => (sweeps++, leases),
      () => {},
    );
    sweep.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sweeps).toBe(6);
    leases = 2;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sweeps).toBeGreaterThanOrEqual(12);
    leases = 0;
    await vi.advanceTimersByTimeAsync(500);
    const before = sweeps;
    await vi.advanceTimersByTimeAsync(4_000);
    expect(sweeps).toBe(before + 2);
    await sweep.stop();
  });

  it('is not stopped by a database that is away', async () => {
    let sweeps = 0;
    const sweep = new LiveSweep(
      () => {
        sweeps++;
        return Promise.reject(new Error('away'));
      },
      () => {},
    );
    sweep.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sweeps).toBe(3);
    await sweep.stop();
  });
});
