/** GET /devices/:serial/diagnostics: how a device is, in numbers, in words, and by which thresholds. */
import { z } from 'zod';
import { FwVersion, Serial, Timestamp } from './ids.ts';
import { BucketPoint, TelemetryBuckets } from './telemetry.ts';

export const DIAGNOSTICS_HOURS = ['6', '24', '168'] as const;
export const DiagnosticsQuery = z.object({
  hours: z
    .enum(DIAGNOSTICS_HOURS)
    .default('24')
    .transform(Number)
    .meta({ type: 'integer', enum: [6, 24, 168] })
    .describe('How far back series, track and memory trend go'),
});
export type DiagnosticsQuery = z.output<typeof DiagnosticsQuery>;

/** `unknown`: nothing to judge yet. */
export const VERDICT_LEVELS = ['ok', 'warn', 'bad', 'unknown'] as const;
export const HealthVerdict = z
  .object({
    level: z.enum(VERDICT_LEVELS),
    code: z.string().describe('e.g. leak, low, crashing; stable, for programs'),
    text: z.string().describe('What is the case, in one plain sentence'),
    advice: z.string().nullable().describe('What to do about it'),
  })
  .meta({ id: 'HealthVerdict' });
export type HealthVerdict = z.infer<typeof HealthVerdict>;

/** What is healthy, by product type. */
export const HealthThresholds = z
  .object({
    battery: z.object({
      empty_v: z.number(),
      full_v: z.number(),
      alert_v: z.number().describe('Below it the platform always alerts'),
      warn_pct: z.number(),
      warn_days: z.number(),
      curve: z.array(z.tuple([z.number(), z.number()])).describe('[[V, %], …], rising'),
    }),
    signal: z.object({
      radio: z.enum(['wifi', 'gsm']),
      bars: z.array(z.number()).describe('dBm from which there are 1, 2, 3, 4 bars'),
      warn_dbm: z.number(),
      bad_dbm: z.number(),
    }),
    heap: z.object({ warn_bytes: z.number(), bad_bytes: z.number(), leak_bytes_per_h: z.number() }),
    clock: z.object({ warn_ms: z.number(), bad_ms: z.number() }),
    loss: z.object({ warn_pct: z.number(), bad_pct: z.number() }),
    restarts: z.object({ warn_crashes: z.number(), bad_crashes: z.number() }).describe('A day'),
    gps: z.object({ good_sats: z.number(), very_good_sats: z.number(), slow_ttff_s: z.number() }),
  })
  .meta({ id: 'HealthThresholds' });
export type HealthThresholds = z.infer<typeof HealthThresholds>;

const Judged = z.object({ verdict: HealthVerdict });
/** A reading with the time of the packet that carried it. */
const Read = Judged.extend({ at: Timestamp.nullable() });

export const DeviceReboot = z
  .object({
    at: Timestamp,
    reason: z.string().nullable().describe('POWERON, SW, PANIC, WDT, BROWNOUT, EXT or what the device says'),
    fw_version: FwVersion.nullable().describe('What runs since then'),
    previous_uptime_s: z.number().nullable(),
  })
  .meta({ id: 'DeviceReboot' });
export type DeviceReboot = z.infer<typeof DeviceReboot>;

export const VersionRecord = z
  .object({
    fw_version: FwVersion.nullable(),
    hours: z.number().describe('How long it ran in the last 30 days'),
    starts: z.int(),
    crashes: z.int().describe('PANIC and watchdogs'),
    power_losses: z.int().describe('BROWNOUT'),
    hours_per_crash: z.number().nullable().describe('null: it never crashed'),
  })
  .meta({ id: 'VersionRecord' });
export type VersionRecord = z.infer<typeof VersionRecord>;

/** A part is null when the device never told anything of it. */
export const DeviceDiagnostics = z
  .object({
    serial: Serial,
    at: Timestamp,
    hours: z.int(),
    fw_version: FwVersion.nullable(),
    battery: Read.extend({
      volts: z.number(),
      percent: z.int(),
      per_day: z
        .number()
        .nullable()
        .describe('Percent a day since it was last charged; null before half a day'),
      days_left: z.number().nullable(),
      points: z.array(BucketPoint).describe('By the hour, a week'),
    }).nullable(),
    signal: Read.extend({
      dbm: z.number(),
      radio: z.enum(['wifi', 'gsm']),
      bars: z.int(),
      of_bars: z.int(),
      csq: z.number().nullable(),
      min: z.number().nullable(),
      avg: z.number().nullable(),
    }).nullable(),
    heap: Read.extend({
      bytes: z.number(),
      min: z.number().nullable(),
      slope_per_h: z
        .number()
        .nullable()
        .describe('Bytes an hour since the last restart; null before an hour'),
      hours_left: z.number().nullable(),
    }).nullable(),
    uptime: Read.extend({ seconds: z.number(), started_at: Timestamp.nullable() }).nullable(),
    reboots: Judged.extend({ list: z.array(DeviceReboot) }).describe('30 days, newest first'),
    crash_free: z.object({ by_version: z.array(VersionRecord) }),
    gps: Read.extend({
      fix: z.boolean(),
      sats: z.number().nullable(),
      ttff: z.number().nullable().describe('Seconds to the first fix'),
      lat: z.number().nullable(),
      lon: z.number().nullable(),
      position_at: Timestamp.nullable(),
      accuracy_m: z.number().nullable(),
      track: z.array(z.tuple([z.number(), z.number(), z.number()])).describe('[epoch ms, lat, lon]'),
      track_m: z.number().describe('Its length in metres'),
    }).nullable(),
    loss: Judged.extend({
      hours: z.int(),
      expected: z.int(),
      received: z.int(),
      duplicates: z.int(),
      percent: z.number(),
    }).nullable(),
    skew: Judged.extend({
      ms: z.number().describe('Positive: the device is behind'),
      packets: z.int(),
    }).nullable(),
    series: TelemetryBuckets.describe('bat, heap and signal'),
    thresholds: HealthThresholds,
  })
  .meta({ id: 'DeviceDiagnostics' });
export type DeviceDiagnostics = z.infer<typeof DeviceDiagnostics>;
