import type { OtaJob } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { doneOf, nowWords, soakLeft, stagePlace, stagesLine, windowWords } from './job-words.ts';
import { timelineWords } from './timeline-words.ts';

const now = Date.parse('2026-11-25T10:00:00Z');
const stage = (more: object) => ({ soak_s: 0, devices: 1, counts: {}, ...more });
const job = (change: Partial<OtaJob>): OtaJob =>
  ({
    state: 'running',
    stage: 0,
    stages: [stage({ count: 1, soak_s: 1800, counts: { sent: 1 } }), stage({ percent: 100, devices: 49 })],
    soaking_since: null,
    counts: { sent: 1, queued: 49 },
    targeted: 50,
    ...change,
  }) as OtaJob;

describe('a job in words', () => {
  it('says what it does now and what comes next', () => {
    expect(nowWords(job({}), now)).toBe('Now the canary (1 device). Then the other 49 devices.');
    const soaking = job({ soaking_since: '2026-11-25T09:40:00Z' });
    expect(soakLeft(soaking, now)).toBe(600_000);
    expect(nowWords(soaking, now)).toBe(
      'The canary (1 device) is done and watched for another 10 min. Then the other 49 devices.',
    );
    expect(nowWords(soaking, now + 600_000)).toBe(
      'The canary (1 device) is done. Within half a minute: the other 49 devices.',
    );
    expect(nowWords(job({ stage: 1 }), now)).toBe('Now the other 49 devices.');
    const asleep = { ...stage({ count: 3, devices: 3 }), counts: { queued: 3 } };
    expect(nowWords(job({ stages: [asleep, stage({ percent: 100 })] } as Partial<OtaJob>), now)).toBe(
      'Nobody of the canary (3 devices) could be told yet.',
    );
    expect(nowWords(job({ state: 'paused' }), now)).toMatch(/^Nobody else is told/);
    expect(nowWords(job({ state: 'completed' }), now)).toBeNull();
  });

  it('says of one that goes to everybody at once only who is still missing', () => {
    const single = (counts: OtaJob['counts']) =>
      job({ stages: [stage({ percent: 100, devices: 9 })], counts });
    expect(nowWords(single({ downloading: 3, queued: 6 }), now)).toBe(
      '6 more wait for their turn, or until they are back.',
    );
    expect(nowWords(single({ succeeded: 8, queued: 1 }), now)).toMatch(
      /^The rest are told when they are back/,
    );
    expect(nowWords(single({ downloading: 9 }), now)).toBeNull();
  });

  it('knows the past, the present and the coming stage', () => {
    expect([0, 1].map((i) => stagePlace(job({ stage: 1 }), i))).toEqual(['past', 'now']);
    expect([0, 1].map((i) => stagePlace(job({ state: 'scheduled' }), i))).toEqual(['next', 'next']);
    expect([0, 1].map((i) => stagePlace(job({ state: 'completed', stage: 1 }), i))).toEqual(['past', 'past']);
  });

  it('counts those who have it', () => {
    expect(doneOf({ succeeded: 1200, failed: 3 }, 5000)).toBe('1,200 of 5,000');
  });

  it('reads windows and stages aloud', () => {
    expect(windowWords({ start: '22:00', end: '05:00', days: ['mon', 'tue'] })).toBe(
      '22:00 to 05:00, Mon, Tue, in each device’s own time',
    );
    expect(stagesLine(job({}).stages)).toBe('Canary, all others');
  });

  it('tells its story', () => {
    expect(timelineWords({ event: 'paused', detail: { by: 'ada@example.com' } }).text).toBe(
      'Paused by ada@example.com',
    );
    expect(timelineWords({ event: 'aborted', detail: { kind: 'failure_threshold' } })).toEqual({
      text: 'Stopped by itself: too many failures',
      tone: 'bad',
    });
    expect(timelineWords({ event: 'stage_released', detail: { stage: 1, devices: 12 } }).text).toBe(
      'Stage 2 began with 12 devices',
    );
    expect(timelineWords({ event: 'soaking', detail: { stage: 0, soak_s: 1800 } }).text).toBe(
      'Stage 1 is done and watched for 30 min',
    );
    expect(timelineWords({ event: 'window_opened', detail: null }).text).toBe('Window opened');
  });
});
