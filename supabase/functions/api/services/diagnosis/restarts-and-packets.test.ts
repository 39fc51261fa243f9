import type { DeviceReboot } from '@edgeconductor/sdk/contract';
import { describe, expect, it } from 'vitest';
import { judgeGps } from './gps.ts';
import { facts, HOUR, NOW, WIFI } from '../../../test/health.ts';
import { judgeClock, judgeLoss } from './packets.ts';
import { isCrash, judgeReboots, versionRecords } from './reboots.ts';
import { simplified, trackMetres } from './track.ts';

const boot = (
  hoursAgo: number,
  reason: string | null,
  fw_version: string | null = '1.2.0',
  ran: number | null = null,
): DeviceReboot => ({
  at: new Date(NOW - hoursAgo * HOUR).toISOString(),
  ...{ reason, fw_version, previous_uptime_s: ran === null ? null : ran * 3600 },
});

describe('restarts', () => {
  it.each([
    [[], 'ok', 'none'],
    [[boot(100, 'SW'), boot(300, 'POWERON')], 'ok', 'calm'],
    [[boot(30, 'PANIC')], 'ok', 'calm'],
    [[boot(3, 'PANIC')], 'warn', 'crashing'],
    [[boot(3, 'TASK_WDT'), boot(4, 'PANIC'), boot(5, 'WDT')], 'bad', 'crashing'],
    [[boot(3, 'BROWNOUT')], 'warn', 'power'],
  ] as const)('%#: are judged by the last day', (boots, level, code) => {
    expect(judgeReboots(facts({ boots: [...boots] }))).toMatchObject({ level, code });
  });

  it('say how many there were and whether one was a crash', () => {
    expect(judgeReboots(facts({ boots: [boot(100, 'SW'), boot(300, 'PANIC')] })).text).toBe(
      '2 restarts in 30 days, the last 4 days ago; 1 crash among them.',
    );
  });

  it('that nobody saw are not claimed away', () => {
    expect(judgeReboots(facts(), 4500).text).toBe('It started 75 minutes ago; nothing before that is known.');
    expect(judgeReboots(facts()).text).toBe('No restart was seen so far.');
  });

  it('of a watchdog and a panic are crashes, asked for ones are not', () => {
    expect(['PANIC', 'WDT', 'INT_WDT', 'SW', 'EXT', 'POWERON', 'BROWNOUT', null].filter(isCrash)).toEqual([
      'PANIC',
      'WDT',
      'INT_WDT',
    ]);
  });
});

describe('the record of a version', () => {
  it('is how long it ran, and how often it crashed', () => {
    const boots = [
      boot(10, 'SW', '1.3.0', 20),
      boot(30, 'PANIC', '1.2.0', 30),
      boot(60, 'WDT', '1.2.0', 40),
      boot(100, 'POWERON', '1.2.0'),
    ];
    expect(versionRecords(facts({ boots }), 36_000)).toEqual([
      { fw_version: '1.3.0', hours: 10, starts: 1, crashes: 0, power_losses: 0, hours_per_crash: null },
      { fw_version: '1.2.0', hours: 90, starts: 3, crashes: 2, power_losses: 0, hours_per_crash: 45 },
    ]);
  });

  it('does not count the time a device was off', () => {
    const boots = [boot(1, 'POWERON', '1.2.0', 5), boot(100, 'POWERON', '1.2.0')];
    expect(versionRecords(facts({ boots }), 3600)[0]).toMatchObject({ hours: 6, starts: 2, crashes: 0 });
  });

  it('of what ran before the first start that was seen has no number', () => {
    const boots = [boot(2, 'PANIC', '1.2.0', 50)];
    expect(versionRecords(facts({ boots }), 7200)).toEqual([
      { fw_version: '1.2.0', hours: 2, starts: 1, crashes: 0, power_losses: 0, hours_per_crash: null },
      { fw_version: null, hours: 50, starts: 1, crashes: 1, power_losses: 0, hours_per_crash: 50 },
    ]);
  });

  it('ends when the device was last heard, and is its uptime when no start was ever seen', () => {
    const last_seen = new Date(NOW - 6 * HOUR).toISOString();
    expect(versionRecords(facts({ boots: [boot(10, 'SW')], last_seen }), 0)[0]!.hours).toBe(4);
    expect(versionRecords(facts(), 7200)).toMatchObject([{ fw_version: '1.2.0', hours: 2 }]);
    expect(versionRecords(facts(), null)).toEqual([]);
  });
});

describe('lost packets', () => {
  const judged = (expected: number, received: number) =>
    judgeLoss(facts({ packets: { hours: 24, expected, received, duplicates: 3, counters: 1 } }))!;

  it.each([
    [17_280, 17_280, 0, 'ok', 'none'],
    [17_280, 17_200, 0.5, 'ok', 'few'],
    [1000, 970, 3, 'warn', 'lossy'],
    [1000, 900, 10, 'bad', 'lossy'],
    [12, 6, 50, 'unknown', 'learning'],
  ] as const)('%i expected, %i came', (expected, received, percent, level, code) => {
    expect(judged(expected, received)).toMatchObject({ percent, verdict: { level, code } });
  });

  it('are told in numbers', () => {
    expect(judged(1000, 970).verdict.text).toBe('30 packets of 1,000 never arrived: 3 %.');
    expect(judged(17_280, 17_280).verdict.text).toBe('All 17,280 packets of the last 24 hours arrived.');
  });

  it('of a device that does not number them are unknown', () => expect(judgeLoss(facts())).toBeNull());
});

describe('a clock', () => {
  const judged = (ms: number) => judgeClock({ skew: { ms, packets: 200 }, health: WIFI })!;
  it.each([
    [40, 'ok', 'right', 'Its clock is right to 40 ms.'],
    [-1900, 'ok', 'right', 'Its clock is right to 1.9 seconds.'],
    [7300, 'warn', 'behind', 'Its clock is 7.3 seconds behind.'],
    [-200_000, 'bad', 'ahead', 'Its clock is 3 minutes ahead.'],
  ])('that is %i ms off', (ms, level, code, text) => {
    expect(judged(ms).verdict).toMatchObject({ level, code, text });
    expect(judged(ms).verdict.advice === null).toBe(level === 'ok');
  });
  it('that is never told is unknown', () => expect(judgeClock(facts())).toBeNull());
});

describe('a receiver', () => {
  const judged = (reported: Record<string, unknown>) => judgeGps(facts({ reported }))!;
  const place = { lat: 53.5, lon: 10, ttff: 20 };
  it.each([
    [{ gps_fix: true, sats: 10, ...place }, 'ok', 'very_good', 5],
    [{ gps_fix: true, sats: 6, ...place }, 'ok', 'good', 10],
    [{ gps_fix: true, sats: 4, ...place }, 'warn', 'rough', 50],
    [{ gps_fix: true, sats: 9, ...place, ttff: 95 }, 'warn', 'slow', 5],
    [{ gps_fix: false, sats: 2, ...place }, 'warn', 'no_fix', null],
    [{ gps_fix: false, sats: 0 }, 'warn', 'no_fix', null],
  ])('%j', (reported, level, code, accuracy_m) => {
    expect(judged(reported)).toMatchObject({ accuracy_m, verdict: { level, code } });
  });
  it('without a place now was last where its track ends', () => {
    const track: [number, number, number][] = [
      [NOW - HOUR, 53.5, 10],
      [NOW - HOUR / 2, 53.6, 10.1],
    ];
    expect(judgeGps(facts({ reported: { gps_fix: false, sats: 2 }, track }))).toMatchObject({
      ...{ lat: 53.6, lon: 10.1, position_at: '2026-11-22T11:30:00.000Z' },
      verdict: { code: 'no_fix', text: expect.stringContaining('the last one') },
    });
  });
  it('is one that says so: a thermometer has none', () => {
    expect(judgeGps(facts({ reported: { temp: 20 } }))).toBeNull();
    expect(judged({ lat: 1, lon: 2 })).toMatchObject({ fix: true, sats: null, accuracy_m: null });
  });
});

describe('a track', () => {
  const along = (count: number, at: (i: number) => [number, number]) =>
    Array.from({ length: count }, (_, i): [number, number, number] => [NOW + i, ...at(i)]);

  it('keeps its corners and loses what lies between them', () => {
    const square = along(2000, (i) => {
      const side = Math.floor(i / 500);
      const x = (i % 500) / 5000;
      return [[0, x, 0.1, 0.1 - x][side]!, [x, 0.1, 0.1 - x, 0][side]!].reverse() as [number, number];
    });
    const short = simplified(square);
    expect(short.length).toBeLessThan(20);
    expect(short[0]).toEqual(square[0]);
    expect(short.at(-1)).toEqual(square.at(-1));
    expect(Math.max(...short.map(([, lat]) => lat))).toBeCloseTo(0.1, 3);
  });

  it('is as long as the way, and a parked receiver goes nowhere', () => {
    expect(trackMetres(along(11, (i) => [53.5 + i / 1000, 10]))).toBeCloseTo(1113, -1);
    expect(trackMetres(along(500, (i) => [53.5 + (i % 2) / 20_000, 10]))).toBe(0);
    expect(trackMetres([])).toBe(0);
  });
});
