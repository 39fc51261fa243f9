import { batteryPercent, signalBars } from '@edgeconductor/sdk/contract';
import { describe, expect, it } from 'vitest';
import { judgeBattery } from './battery.ts';
import { facts, HOUR, MINUTE, noise, series, WIFI } from '../../../test/health.ts';
import { judgeSignal } from './signal.ts';

const { curve } = WIFI.battery;

describe('percent of a battery', () => {
  it.each([
    [3.0, 0],
    [3.3, 0],
    [3.58, 10],
    [3.65, 20],
    [3.8, 50],
    [4.0, 78],
    [4.2, 100],
    [4.35, 100],
  ])('%f V is %i %%', (volts, percent) => expect(batteryPercent(volts, curve)).toBe(percent));

  it('never falls when the voltage rises', () => {
    let last = -1;
    for (let mv = 3200; mv <= 4300; mv += 5) {
      const percent = batteryPercent(mv / 1000, curve);
      expect(percent).toBeGreaterThanOrEqual(last);
      last = percent;
    }
  });
});

/** Volts at that charge. */
function voltsAt(percent: number): number {
  for (let mv = 3300; mv <= 4200; mv++) if (batteryPercent(mv / 1000, curve) >= percent) return mv / 1000;
  return 4.2;
}

describe('a battery', () => {
  const judged = (volts: number, hours: number, percentAt: (hour: number, index: number) => number) =>
    judgeBattery(
      facts({ reported: { bat: volts }, battery: series(hours, HOUR, (h, i) => voltsAt(percentAt(h, i))) }),
    )!;

  it('that loses ten percent a day says how many days are left', () => {
    const battery = judged(voltsAt(40), 96, (hour, i) => 80 - (hour / 24) * 10 + noise(i) * 0.5);
    expect(battery.percent).toBe(40);
    expect(battery.per_day).toBeCloseTo(-10, 0);
    expect(battery.days_left).toBeCloseTo(4, 0);
    expect(battery.verdict).toMatchObject({ level: 'warn', code: 'draining' });
    expect(battery.verdict.text).toMatch(
      /^Loses 10(\.\d)? % a day and will be empty in (4 days|\d\d hours)\.$/,
    );
    expect(battery.verdict.advice).toBeTruthy();
  });

  it('that was charged meanwhile is judged by the time since', () => {
    const battery = judged(voltsAt(85), 96, (hour) => (hour < 60 ? 80 - hour : 100 - (hour - 60) * 0.4));
    expect(battery.per_day).toBeCloseTo(-9.6, 0);
    expect(battery.days_left).toBeCloseTo(8.9, 0);
    expect(battery.verdict.level).toBe('ok');
  });

  it('that keeps its charge has no end', () => {
    const battery = judged(4.12, 168, (_, i) => 92 + noise(i) * 1);
    expect(battery.days_left).toBeNull();
    expect(battery.verdict).toMatchObject({ level: 'ok', code: 'steady' });
  });

  it('that rises now is charging, whatever it did before', () => {
    const battery = judged(voltsAt(45), 24, (hour) => (hour < 22 ? 30 : 30 + (hour - 22) * 8));
    expect(battery.verdict).toMatchObject({ level: 'ok', code: 'charging' });
  });

  it('below the alert voltage is bad, however steady it is', () => {
    const battery = judged(3.44, 48, () => 5);
    expect(battery.verdict).toMatchObject({ level: 'bad', code: 'empty' });
    expect(battery.verdict.text).toBe('Nearly empty: 3.44 V, below 3.5 V.');
  });

  it('below the percentage of its type is low', () => {
    expect(judged(voltsAt(22), 48, () => 22).verdict).toMatchObject({ level: 'warn', code: 'low' });
  });

  it('nobody has seen for half a day gets no forecast', () => {
    const battery = judged(voltsAt(80), 6, (hour) => 86 - hour);
    expect([battery.per_day, battery.days_left]).toEqual([null, null]);
    expect(battery.verdict.level).toBe('ok');
  });

  it('that is not reported is not judged', () => {
    expect(judgeBattery(facts({ reported: { temp: 20 } }))).toBeNull();
    expect(judgeBattery(facts({ reported: { bat: 'full' } }))).toBeNull();
  });

  it('has the time of the packet that carried it, not of the newest', () => {
    const older = { bat: '2026-11-21T00:00:00.000Z' };
    expect(judgeBattery(facts({ reported: { bat: 4 }, older }))!.at).toBe(older.bat);
  });
});

describe('a signal', () => {
  const judged = (dbm: number, past: (hour: number, index: number) => number = () => dbm, health = WIFI) => {
    const points = series(24, 5 * MINUTE, past);
    const made = { bucket_s: 300, from: '', to: '', series: { signal: points } };
    return judgeSignal(facts({ reported: { signal: dbm }, series: made, health }))!;
  };

  it.each([
    [-50, 4, 'ok', 'strong'],
    [-65, 3, 'ok', 'good'],
    [-75, 2, 'ok', 'good'],
    [-82, 1, 'warn', 'weak'],
    [-95, 0, 'bad', 'very_weak'],
  ] as const)('of %i dBm has %i bars and is %s', (dbm, bars, level, code) => {
    expect(judged(dbm)).toMatchObject({ bars, of_bars: 4, verdict: { level, code } });
  });

  it('of a mobile radio is read by another scale', () => {
    const gsm = {
      ...WIFI,
      signal: { radio: 'gsm' as const, bars: [-107, -97, -87, -77], warn_dbm: -97, bad_dbm: -107 },
    };
    expect(judged(-90, undefined, gsm)).toMatchObject({ radio: 'gsm', bars: 2, verdict: { level: 'ok' } });
    expect(judged(-90)).toMatchObject({ bars: 0, verdict: { level: 'bad' } });
  });

  it('that is good now and often was not is unsteady', () => {
    expect(judged(-60, (_, i) => (i % 5 === 0 ? -92 : -60)).verdict).toMatchObject({
      level: 'warn',
      code: 'unsteady',
    });
    expect(judged(-60, (_, i) => (i % 50 === 0 ? -92 : -60)).verdict.level).toBe('ok');
  });

  it('lights a bar exactly from its limit on', () => {
    expect([-89, -88, -58, -57].map((dbm) => signalBars(dbm, WIFI.signal.bars))).toEqual([0, 1, 4, 4]);
  });
});
