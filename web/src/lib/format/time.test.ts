import { describe, expect, it } from 'vitest';
import { ago, exact, parseTime, since } from './time.ts';

const now = Date.parse('2026-11-22T13:02:08Z');
const before = (ms: number) => now - ms;

describe('times on screen', () => {
  it.each([
    [0, 'now'],
    [-4000, 'now'],
    [8_000, '8 s ago'],
    [59_999, '59 s ago'],
    [12 * 60_000, '12 min ago'],
    [3 * 3_600_000, '3 h ago'],
    [5 * 86_400_000, '5 d ago'],
    [40 * 86_400_000, '13 Oct'],
  ])('%i ms ago reads “%s”', (passed, text) => {
    expect(ago(before(passed), now, 'UTC')).toBe(text);
  });

  it('says since when in the zone of the reader', () => {
    expect(since(Date.parse('2026-11-22T08:30:00Z'), now, 'Europe/Berlin')).toBe('09:30');
    expect(since(Date.parse('2026-11-20T13:02:00Z'), now, 'UTC')).toBe('Fri 13:02');
    expect(since(Date.parse('2026-10-20T13:02:00Z'), now, 'UTC')).toBe('20 Oct');
  });

  it('calls it yesterday’s clock when midnight lies between, even if only minutes passed', () => {
    const justAfterMidnight = Date.parse('2026-11-23T00:05:00Z');
    expect(since(Date.parse('2026-11-22T23:55:00Z'), justAfterMidnight, 'UTC')).toBe('Sun 23:55');
  });

  it('names the exact moment with its zone', () => {
    expect(exact(now, 'Europe/Berlin')).toMatch(/22 Nov 2026, 14:02:08 (CET|GMT\+1)/);
  });

  it('reads broken times as none', () => {
    expect(parseTime('yesterday')).toBeNull();
    expect(parseTime(null)).toBeNull();
    expect(parseTime('2026-11-22T13:02:08.000Z')).toBe(now);
  });
});
