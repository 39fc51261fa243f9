import { describe, expect, test } from 'vitest';
import { isDue, parseSchedule } from './schedule.ts';

const dueAt = (schedule: string, at: string): boolean => {
  const parsed = parseSchedule(schedule);
  if (parsed.kind !== 'cron') throw new Error('not a cron schedule');
  return isDue(parsed, new Date(`${at}Z`));
};

describe('a schedule of pg_cron', () => {
  test('may be an interval of 1 to 59 seconds', () => {
    expect(parseSchedule('30 seconds')).toEqual({ kind: 'interval', seconds: 30 });
    expect(parseSchedule('1 second')).toEqual({ kind: 'interval', seconds: 1 });
  });

  test.each([
    '0 seconds',
    '60 seconds',
    '5 minutes',
    '* * * *',
    '61 * * * *',
    '* * 0 * *',
    '*/0 * * * *',
    '5-1 * * * *',
    'x * * * *',
    '',
  ])('is refused when it is %j', (text) => expect(() => parseSchedule(text)).toThrow(RangeError));

  test.each([
    ['* * * * *', '2026-11-22T10:07', true],
    ['*/5 * * * *', '2026-11-22T10:05', true],
    ['*/5 * * * *', '2026-11-22T10:06', false],
    ['10-20/5 * * * *', '2026-11-22T10:15', true],
    ['3/10 * * * *', '2026-11-22T10:53', true],
    ['0 3 * * *', '2026-11-22T03:00', true],
    ['0 3 * * *', '2026-11-22T04:00', false],
    ['0 8 * * mon', '2026-11-23T08:00', true],
    ['0 8 * * mon', '2026-11-22T08:00', false],
    ['0 8 * * 7', '2026-11-22T08:00', true],
    ['0 0 1 jan *', '2027-01-01T00:00', true],
    ['0 0 $ * *', '2026-02-28T00:00', true],
    ['0 0 $ * *', '2026-02-27T00:00', false],
    ['@daily', '2026-11-22T00:00', true],
    ['@hourly', '2026-11-22T07:00', true],
  ])('%j at %s is due: %s', (schedule, at, due) => expect(dueAt(schedule, at)).toBe(due));

  test('is due on either when both a day and a weekday are given', () => {
    expect(dueAt('0 0 13 * fri', '2026-11-13T00:00')).toBe(true);
    expect(dueAt('0 0 13 * fri', '2026-11-20T00:00')).toBe(true);
    expect(dueAt('0 0 13 * fri', '2026-12-13T00:00')).toBe(true);
    expect(dueAt('0 0 13 * fri', '2026-11-21T00:00')).toBe(false);
  });
});
