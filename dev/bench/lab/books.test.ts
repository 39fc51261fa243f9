import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBooks, isClean, type StoredDevice } from './books.ts';
import { cpuSeconds, residentMb } from './cpu.ts';

const row = (serial: string, acked: number, counters: number[]): StoredDevice => ({
  serial,
  rows: counters.length,
  distinct: new Set(counters).size,
  within: new Set(counters.filter((n) => n <= acked)).size,
});

describe('comparing the books', () => {
  it('finds nothing wrong when every acknowledged reading is stored once', () => {
    const verdict = compareBooks(['A', 'B'], [3, 2], [row('A', 3, [1, 2, 3]), row('B', 2, [2, 1])]);
    expect(verdict).toEqual({ acknowledged: 5, rows: 5, lost: 0, doubled: 0, unacknowledged: 0 });
    expect(isClean(verdict)).toBe(true);
  });

  it('sees a lost reading, a doubled one and a device that is missing altogether', () => {
    const verdict = compareBooks(['A', 'B', 'C'], [3, 2, 4], [row('A', 3, [1, 3]), row('B', 2, [1, 2, 2])]);
    expect(verdict).toMatchObject({ lost: 1 + 4, doubled: 1, unacknowledged: 0 });
    expect(isClean(verdict)).toBe(false);
  });

  it('allows readings that were stored before their acknowledgement got lost', () => {
    expect(compareBooks(['A'], [2], [row('A', 2, [1, 2, 3, 5])])).toMatchObject({
      lost: 0,
      unacknowledged: 2,
    });
  });

  it('does not let an unacknowledged reading hide a lost one', () => {
    expect(compareBooks(['A'], [3], [row('A', 3, [1, 2, 4])])).toMatchObject({ lost: 1, unacknowledged: 1 });
  });

  it('counts exactly what is missing and what is twice, whatever happened', () => {
    const device = fc.record({
      acked: fc.nat(30),
      missing: fc.uniqueArray(fc.integer({ min: 1, max: 30 })),
      twice: fc.uniqueArray(fc.integer({ min: 1, max: 30 })),
    });
    fc.assert(
      fc.property(fc.array(device), (devices) => {
        const serials = devices.map((_, i) => `D${i}`);
        let lost = 0;
        let doubled = 0;
        const stored = devices.map(({ acked, missing, twice }, i) => {
          const all = Array.from({ length: acked }, (_, n) => n + 1);
          const kept = all.filter((n) => !missing.includes(n));
          lost += all.length - kept.length;
          const again = kept.filter((n) => twice.includes(n));
          doubled += again.length;
          return row(serials[i]!, acked, [...kept, ...again]);
        });
        const acked = devices.map((d) => d.acked);
        expect(compareBooks(serials, acked, stored)).toMatchObject({ lost, doubled, unacknowledged: 0 });
      }),
    );
  });
});

describe.runIf(process.platform === 'linux')('the CPU account', () => {
  it('grows with the work of a process', () => {
    const before = cpuSeconds(process.pid);
    const worked = process.cpuUsage();
    // A busy machine gives less than it shows on the clock, so the work is measured by itself.
    while (process.cpuUsage(worked).user < 150_000) Math.sqrt(Math.random());
    expect(cpuSeconds(process.pid)).toBeGreaterThan(before + 0.05);
    expect(residentMb(process.pid)).toBeGreaterThan(20);
  });
});
