import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobAdvance } from './job-advance.ts';

describe('JobAdvance', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('looks at once, and once more for all the hints that come meanwhile', async () => {
    const running: Array<() => void> = [];
    const jobs = new JobAdvance(
      () => new Promise((resolve) => running.push(resolve)),
      () => {},
    );
    for (let hint = 0; hint < 50; hint++) jobs.wake();
    expect(running).toHaveLength(1);
    running[0]?.();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(running).toHaveLength(2);
    running[1]?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(running).toHaveLength(2);
    jobs.wake();
    expect(running).toHaveLength(3);
    running[2]?.();
    await jobs.stop();
  });

  it('is not stopped by a database that is away, and looks no more when it was stopped', async () => {
    let looks = 0;
    const jobs = new JobAdvance(
      () => (looks++, Promise.reject(new Error('away'))),
      () => {},
    );
    jobs.wake();
    await vi.advanceTimersByTimeAsync(1_000);
    jobs.wake();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(looks).toBe(2);
    await jobs.stop();
    jobs.wake();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(looks).toBe(2);
  });
});
