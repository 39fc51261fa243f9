import type { BulkAssignReply } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { assignAll, placesBefore } from './bulk-assign.ts';

const allGood = (serials: string[]): BulkAssignReply => ({
  results: serials.map((serial) => ({ serial, ok: true })),
  done: serials.length,
  failed: 0,
});

describe('assigning many devices', () => {
  it('asks for at most 500 in one call and counts as it goes', async () => {
    const serials = Array.from({ length: 1201 }, (_, i) => `EC-${i}`);
    const calls: number[] = [];
    const progress: number[] = [];
    const results = await assignAll(
      serials,
      async (chunk) => {
        calls.push(chunk.length);
        return allGood(chunk);
      },
      (done) => progress.push(done),
    );
    expect(calls).toEqual([500, 500, 201]);
    expect(progress).toEqual([500, 1000, 1201]);
    expect(results.map(({ serial }) => serial)).toEqual(serials);
  });

  it('answers for every device, also when a call in the middle fails as a whole', async () => {
    const serials = Array.from({ length: 600 }, (_, i) => `EC-${i}`);
    let call = 0;
    const results = await assignAll(serials, async (chunk) => {
      if (call++ === 1) throw new Error('gone');
      return allGood(chunk);
    });
    expect(results).toHaveLength(600);
    expect(results.filter(({ ok }) => ok)).toHaveLength(500);
    expect(results.at(-1)?.error?.code).toBe('internal');
  });

  it('remembers where the moved ones stood, and only those', () => {
    const devices = [
      { serial_no: 'a', location_id: 'r1' },
      { serial_no: 'b', location_id: null },
      { serial_no: 'c', location_id: 'r1' },
      { serial_no: 'd', location_id: 'r2' },
    ];
    const results = ['a', 'b', 'c', 'd'].map((serial) => ({ serial, ok: serial !== 'd' }));
    expect([...placesBefore(devices, results)]).toEqual([
      ['r1', ['a', 'c']],
      [null, ['b']],
    ]);
  });
});
