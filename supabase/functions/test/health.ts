/** Made series for the tests of the verdicts. */
import type { HealthThresholds } from '@edgeconductor/sdk/contract';
import type { Facts } from '../api/services/diagnosis/facts.ts';

export const NOW = Date.parse('2026-11-22T12:00:00Z');
export const HOUR = 3_600_000;
export const MINUTE = 60_000;

/** As the climate node is seeded. */
export const WIFI: HealthThresholds = {
  battery: {
    ...{ empty_v: 3.3, full_v: 4.2, alert_v: 3.5, warn_pct: 30, warn_days: 7 },
    curve: [
      [3.3, 0],
      [3.58, 10],
      [3.72, 30],
      [3.8, 50],
      [3.93, 70],
      [4.1, 90],
      [4.2, 100],
    ],
  },
  signal: { radio: 'wifi', bars: [-88, -78, -68, -58], warn_dbm: -78, bad_dbm: -88 },
  heap: { warn_bytes: 40_000, bad_bytes: 20_000, leak_bytes_per_h: 200 },
  clock: { warn_ms: 2000, bad_ms: 60_000 },
  loss: { warn_pct: 1, bad_pct: 5 },
  restarts: { warn_crashes: 1, bad_crashes: 3 },
  gps: { good_sats: 5, very_good_sats: 8, slow_ttff_s: 60 },
};

export function facts(change: Partial<Facts> = {}): Facts {
  const now = new Date(NOW).toISOString();
  return {
    ...{
      serial: 'EC-1',
      fw_version: '1.2.0',
      now,
      reported: {},
      reported_at: now,
      older: {},
      last_seen: now,
    },
    ...{ health: WIFI, battery: [], boots: [], packets: null, skew: null, track: [] },
    series: { bucket_s: 300, from: now, to: now, series: {} },
    ...change,
  };
}

/** Points every `stepMs` until now; `value` gets the hours since the first. */
export function series(
  hours: number,
  stepMs: number,
  value: (hour: number, index: number) => number,
): [number, number, number, number][] {
  const count = Math.floor((hours * HOUR) / stepMs) + 1;
  return Array.from({ length: count }, (_, i) => {
    const v = value((i * stepMs) / HOUR, i);
    return [NOW - (count - 1 - i) * stepMs, v, v, v];
  });
}

/** The same noise every time, −1…1. */
export function noise(index: number): number {
  const x = Math.sin(index * 12.9898) * 43758.5453;
  return (x - Math.floor(x)) * 2 - 1;
}
