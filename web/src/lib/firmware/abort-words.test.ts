import type { OtaJob } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { abortWords } from './abort-words.ts';

const stage = { soak_s: 0, devices: 1, counts: {} };
const job = (change: object) =>
  ({
    failure_pct: 20,
    counts: { failed: 2, cancelled: 48 },
    stages: [
      { ...stage, count: 2 },
      { ...stage, percent: 100 },
    ],
    ...change,
  }) as unknown as OtaJob;

describe('why a job stopped', () => {
  it('says that it stopped by itself, by which numbers, and who was spared', () => {
    const reason = { kind: 'failure_threshold', stage: 0, failed: 2, finished: 2, pct: 100 };
    expect(abortWords(job({ abort_reason: reason }))).toEqual({
      title: 'It stopped by itself: too many failures',
      text: '2 devices of the canary went wrong, 100 % of those that were told; the limit is 20 %. 48 devices had not been told and were left alone.',
    });
  });

  it('names who stopped it', () => {
    const stopped = job({
      abort_reason: { kind: 'by_hand', by: 'ada@example.com' },
      counts: { cancelled: 1 },
    });
    expect(abortWords(stopped)).toEqual({
      title: 'Stopped by ada@example.com',
      text: '1 device had not been told and was left alone.',
    });
    expect(abortWords(job({ abort_reason: null, counts: {} })).text).toBe(
      'Every device had been told by then.',
    );
  });
});
