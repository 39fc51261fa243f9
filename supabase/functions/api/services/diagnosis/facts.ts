/** What `ec.read_diagnostics` tells, and how a verdict is written down. */
import type {
  DeviceReboot,
  HealthThresholds,
  HealthVerdict,
  TelemetryBuckets,
} from '@edgeconductor/sdk/contract';

export type Point = readonly [t: number, value: number];

export interface Facts {
  serial: string;
  fw_version: string | null;
  now: string;
  reported: Record<string, unknown>;
  reported_at: string | null;
  older: Record<string, string>;
  last_seen: string | null;
  health: HealthThresholds;
  series: TelemetryBuckets;
  battery: [number, number, number, number][];
  boots: DeviceReboot[];
  packets: { hours: number; expected: number; received: number; duplicates: number; counters: number } | null;
  skew: { ms: number; packets: number } | null;
  track: [number, number, number][];
}

export function verdict(
  level: HealthVerdict['level'],
  code: string,
  text: string,
  advice: string | null = null,
): HealthVerdict {
  return { level, code, text, advice };
}

export function numberOf(facts: Pick<Facts, 'reported'>, key: string): number | null {
  const value = facts.reported[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** When the packet came that carried the key. */
export function timeOf(
  { older, reported_at }: Pick<Facts, 'older' | 'reported_at'>,
  key: string,
): string | null {
  return older[key] ?? reported_at;
}
