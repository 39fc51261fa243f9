/** Checks and copies the values of one packet. Never keeps a key or a value that could hurt whoever reads it. */
import { isMetricKey, KEY_ALIASES, MAX_MAGNITUDE, MAX_STRING_BYTES } from './packet-limits.ts';
import type { RejectReason } from './packet-limits.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type PacketData = { [key: string]: JsonValue };

/** Thrown inside the parser, always caught by it. */
export class PacketError extends Error {
  readonly reason: RejectReason;
  constructor(reason: RejectReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** NUL cannot be stored in Postgres text, half a surrogate pair cannot be encoded as UTF-8. */
const UNSTORABLE = /[\0\p{Cs}]/u;
const TINY = 1 / MAX_MAGNITUDE;

/** Copies an object: keys checked, values bounded, null dropped unless it means "remove the key" (shadows).
 *  The caller has bounded the depth. */
export function cleanObject(source: object, skip: ReadonlySet<string> | null, keepNull = false): PacketData {
  const data: PacketData = {};
  for (const key in source) {
    if (skip !== null && skip.has(key)) continue;
    if (!isMetricKey(key)) throw new PacketError('bad_key', `the key ${quote(key)} is not allowed`);
    const value = cleanValue(key, (source as Record<string, unknown>)[key], keepNull);
    if (value !== null || keepNull) data[key] = value;
  }
  return data;
}

/** `temperature` → `temp`, `humidity` → `hum`; a packet that has both keeps the short one. */
export function applyAliases(data: PacketData): PacketData {
  for (const [alias, key] of KEY_ALIASES) {
    const value = data[alias];
    if (value === undefined) continue;
    delete data[alias];
    data[key] ??= value;
  }
  return data;
}

function cleanValue(key: string, value: unknown, keepNull: boolean): JsonValue {
  switch (typeof value) {
    case 'number':
      return cleanNumber(key, value);
    case 'string':
      return cleanString(key, value);
    case 'boolean':
      return value;
    default:
      if (value === null || value === undefined) return null;
      if (Array.isArray(value)) return value.map((entry) => cleanValue(key, entry, keepNull));
      return cleanObject(value, null, keepNull);
  }
}

function cleanNumber(key: string, value: number): number {
  // JSON.parse turns 1e999 into Infinity
  if (!(Math.abs(value) <= MAX_MAGNITUDE))
    throw new PacketError('bad_value', `${key} is not a usable number`);
  return Math.abs(value) < TINY ? 0 : value;
}

function cleanString(key: string, value: string): string {
  const tooLong =
    value.length * 3 > MAX_STRING_BYTES && new TextEncoder().encode(value).length > MAX_STRING_BYTES;
  if (tooLong) throw new PacketError('bad_value', `${key} is longer than ${MAX_STRING_BYTES} bytes`);
  if (UNSTORABLE.test(value))
    throw new PacketError('bad_value', `${key} has characters that cannot be stored`);
  return value;
}

function quote(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
}
