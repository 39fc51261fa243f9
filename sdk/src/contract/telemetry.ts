import { z } from 'zod';
import { FwVersion, Id, ProductTypeKey, Serial, Timestamp, TimestampParam } from './ids.ts';
import { RejectReason } from './packet-limits.ts';
import { ShadowDocument } from './device.ts';
import { Cursor, countParam } from './page.ts';

export const HISTORY_HOURS = ['1', '6', '24', '168'] as const;
export const MAX_BUCKETS = 600;

/** POST /devices/:serial/telemetry. `rejects` names at most 100 refused packets. */
export const TelemetryAccepted = z
  .object({
    ok: z.literal(true),
    accepted: z.int(),
    duplicate: z.int(),
    rejected: z.int(),
    rejects: z.array(z.object({ index: z.int(), reason: RejectReason, detail: z.string() })).optional(),
  })
  .meta({ id: 'TelemetryAccepted' });
export type TelemetryAccepted = z.infer<typeof TelemetryAccepted>;

export const TelemetryQuery = z.object({
  hours: z
    .enum(HISTORY_HOURS)
    .default('24')
    .transform(Number)
    .meta({ type: 'integer', enum: [1, 6, 24, 168] }),
  limit: countParam(10_000, 1000).describe('The newest N, returned oldest first'),
  metrics: z
    .string()
    .max(1000)
    .transform((value) =>
      value
        .split(',')
        .map((key) => key.trim())
        .filter((key) => key !== ''),
    )
    .optional()
    .meta({ type: 'string', description: 'Comma separated keys' }),
  after: Cursor.optional().describe('Goes forward from there'),
  before: Cursor.optional().describe('Goes back from there'),
  /** With `to` instead of `hours`, e.g. for a zoomed chart. */
  from: TimestampParam.optional(),
  to: TimestampParam.optional(),
  buckets: z.enum(['auto']).optional().describe('At most 600 points a series, min/avg/max'),
  format: z.enum(['json', 'csv']).default('json'),
});
export type TelemetryQuery = z.output<typeof TelemetryQuery>;

/** One stored packet: its metrics beside `timestamp`. */
export const TelemetryRow = z.looseObject({ timestamp: Timestamp }).meta({ id: 'TelemetryRow' });
export type TelemetryRow = z.infer<typeof TelemetryRow>;

/** [start of the bucket in epoch ms, min, avg, max], or null where the line breaks. */
export const BucketPoint = z.tuple([z.number(), z.number(), z.number(), z.number()]).nullable();
export type BucketPoint = z.infer<typeof BucketPoint>;

export const TelemetryBuckets = z
  .object({
    bucket_s: z.int(),
    from: Timestamp,
    to: Timestamp,
    series: z.record(z.string(), z.array(BucketPoint)),
  })
  .meta({ id: 'TelemetryBuckets' });
export type TelemetryBuckets = z.infer<typeof TelemetryBuckets>;

/** GET /devices/:serial/commands: what a device without MQTT asks for. */
export const DeviceCommands = z
  .object({
    commands: z.array(
      z.object({ id: Id, type: z.string(), payload: z.unknown().optional(), expires_at: Timestamp }),
    ),
    desired: ShadowDocument,
    desired_version: z.int(),
    fw_url: z.url().optional(),
    fw_version: FwVersion.optional(),
    job_id: Id.optional(),
    attempt: z.int().optional(),
    size: z.int().optional(),
    sha256: z.string().optional(),
    signature: z.string().optional(),
    product_type: ProductTypeKey.optional(),
  })
  .meta({ id: 'DeviceCommands' });
export type DeviceCommands = z.infer<typeof DeviceCommands>;

/** POST /devices/:serial/shadow/reported, the HTTPS twin of the MQTT message. */
export const ReportedAccepted = z
  .object({ serial: Serial, reported: ShadowDocument, desired: ShadowDocument, desired_version: z.int() })
  .meta({ id: 'ReportedAccepted' });
export type ReportedAccepted = z.infer<typeof ReportedAccepted>;
