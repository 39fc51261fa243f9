/** What a telemetry packet may be. One set of limits for the MQTT door, the HTTPS door and the firmware. */
import { z } from 'zod';

export * from './document-rules.ts';

/** Describe the packet, are never stored as metrics. */
export const RESERVED_KEYS: ReadonlySet<string> = new Set(['timestamp', 'ts', 'seq']);
/** Example programs in the field send the long names. */
export const KEY_ALIASES: ReadonlyMap<string, string> = new Map([
  ['temperature', 'temp'],
  ['humidity', 'hum'],
]);

export const MAX_BATCH_BYTES = 256 * 1024;
export const MAX_BATCH_PACKETS = 1000;
export const MAX_AHEAD_MS = 5 * 60_000;
export const MAX_AGE_MS = 7 * 24 * 3_600_000;

/** Why a packet went to the dead letters. */
export const REJECT_REASONS = [
  'not_json',
  'not_an_object',
  'too_large',
  'too_deep',
  'bad_key',
  'bad_value',
  'bad_ts',
  'ts_out_of_range',
  'empty',
  'unknown_device',
] as const;
export const RejectReason = z.enum(REJECT_REASONS);
export type RejectReason = z.infer<typeof RejectReason>;
