/** Identifiers and times as they travel on the wire. */
import { z } from 'zod';

/** Every internal id is a UUID. */
export const Id = z.uuid();
export type Id = z.infer<typeof Id>;

/** A device's name on the wire and on MQTT: no `/`, `+` or `#`, so it can never widen a topic. */
export const SERIAL_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/;
export const Serial = z
  .string()
  .regex(SERIAL_PATTERN, 'use 3 to 64 letters, digits, "_" or "-", starting with a letter or digit')
  .describe('Serial number, e.g. EC-CLM-001');
export type Serial = z.infer<typeof Serial>;

/** Key of a product type, e.g. `EC-CLIMATE-V1` or `tracker`. */
export const ProductTypeKey = z.string().min(1).max(64).describe('Product type, e.g. EC-CLIMATE-V1');
export type ProductTypeKey = z.infer<typeof ProductTypeKey>;

export const FwVersion = z.string().min(1).max(64).describe('Firmware version, e.g. 1.2.0');
export type FwVersion = z.infer<typeof FwVersion>;

/** Times out: ISO 8601 UTC with milliseconds and `Z`. */
export const Timestamp = z.iso.datetime().describe('ISO 8601 UTC with milliseconds');
export type Timestamp = z.infer<typeof Timestamp>;

/** Times in: ISO 8601 or epoch milliseconds; comes out as an ISO string. */
export const TimestampInput = z
  .union([z.iso.datetime({ offset: true }), z.int().min(0).max(8.64e15)])
  .transform((value) => new Date(value).toISOString());
export type TimestampInput = z.input<typeof TimestampInput>;

/** The same in a query string, where a number is a text too. */
export const TimestampParam = z
  .union([
    z.iso.datetime({ offset: true }),
    z
      .string()
      .regex(/^\d{1,15}$/, 'use ISO 8601 or epoch milliseconds')
      .transform(Number),
  ])
  .transform((value) => new Date(value).toISOString())
  .meta({ type: 'string', description: 'ISO 8601 or epoch milliseconds' });

const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

/** IANA time zone that this runtime (and Postgres) knows. */
export const TimeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'use an IANA time zone such as Europe/Berlin')
  .describe('IANA time zone, e.g. Europe/Berlin');
export type TimeZone = z.infer<typeof TimeZone>;

function isTimeZone(value: string): boolean {
  if (!ZONE_NAME.test(value)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

/** A human name: trimmed, one line, never empty. Control characters would break CSV, mail and logs. */
export const Name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'control characters are not allowed');
export type Name = z.infer<typeof Name>;

/** Part of an address: lower case letters, digits and single hyphens. */
export const Slug = z
  .string()
  .min(2)
  .max(63)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'use lower case letters, digits and hyphens');
export type Slug = z.infer<typeof Slug>;
