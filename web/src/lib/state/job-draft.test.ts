import type { Firmware } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { JobDraft } from './job-draft.svelte.ts';

const firmware = { id: 'f1', product_type: 'T', version: '1.3.0' } as Firmware;

function draft(change: Partial<JobDraft> = {}, target: ConstructorParameters<typeof JobDraft>[0] = null) {
  return Object.assign(new JobDraft(target), { firmware, targeted: 1000 }, change);
}

describe('a job that is being prepared', () => {
  it('is for all of the firmware’s type when nobody said otherwise', () => {
    expect(draft().target).toEqual({ product_type: 'T' });
    expect(draft({}, { serials: ['A', 'B'] }).target).toEqual({ serials: ['A', 'B'] });
    expect(draft({}, { filter: { tag: 'x' } }).target).toEqual({ filter: { tag: 'x' } });
  });

  it('asks nothing before firmware and devices are chosen', () => {
    expect(draft({ firmware: null }).question).toBeNull();
    expect(draft({ who: 'filter' }).question).toBeNull();
    expect(draft({ who: 'saved' }).input).toBeNull();
  });

  it('goes carefully, with a canary that fits, unless there is only one device', () => {
    expect(draft().input?.stages?.[0]).toEqual({ count: 10, soak_s: 1800 });
    expect(draft({ canary: 50, targeted: 3 }).input?.stages).toEqual([{ count: 3, soak_s: 1800 }]);
    expect(draft({ targeted: 1 }).input?.stages).toEqual([{ percent: 100 }]);
    expect(draft({ pace: 'at_once' }).input?.stages).toEqual([{ percent: 100 }]);
  });

  it('says only what was asked for', () => {
    expect(draft({ pace: 'at_once' }).input).toEqual({
      firmware_id: 'f1',
      target: { product_type: 'T' },
      stages: [{ percent: 100 }],
      force: false,
      failure_pct: 20,
    });
  });

  it('keeps its window, with days in the order of the week', () => {
    expect(draft({ windowed: true, days: ['sun', 'mon'] }).input?.window).toEqual({
      start: '22:00',
      end: '05:00',
      days: ['mon', 'sun'],
    });
    expect(draft({ windowed: true }).input?.window).toEqual({ start: '22:00', end: '05:00' });
    expect(draft({ windowed: true, days: [] }).input).toBeNull();
    expect(draft({ windowed: true, start: '05:00' }).input).toBeNull();
  });

  it('starts when it is told to, with its name', () => {
    const input = draft({ startsAt: '2026-11-26T22:00', name: ' Winter ' }).input;
    expect(input?.starts_at).toBe(new Date('2026-11-26T22:00').toISOString());
    expect(input?.name).toBe('Winter');
    const at = new Date('2026-11-26T22:00').getTime();
    const scheduled = draft({ startsAt: '2026-11-26T22:00' });
    expect([at - 1, at].map((now) => scheduled.startsInPast(now))).toEqual([false, true]);
    expect(draft().startsInPast(at)).toBe(false);
  });
});
