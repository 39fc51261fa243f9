/** Telemetry packets: one parser for the MQTT and the HTTPS door. It never throws, and one bad packet of a batch
 *  never loses its neighbours: it comes back as a reject with a reason, for the dead letters. */
import type { ArrivalClock } from './arrival-clock.ts';
import { escapePayload } from './packet-escape.ts';
import {
  MAX_AGE_MS,
  MAX_AHEAD_MS,
  MAX_BATCH_BYTES,
  MAX_BATCH_PACKETS,
  MAX_PACKET_BYTES,
  RESERVED_KEYS,
} from './packet-limits.ts';
import type { RejectReason } from './packet-limits.ts';
import { byteLength, decodeText, readObject } from './packet-text.ts';
import { splitPackets } from './packet-split.ts';
import type { RawItem } from './packet-split.ts';
import { parseDeviceTime } from './packet-time.ts';
import { applyAliases, cleanObject, PacketError } from './packet-values.ts';
import type { PacketData } from './packet-values.ts';

/** One good packet, in the short keys `ec.ingest_telemetry` takes. */
export interface Reading {
  /** metrics, without timestamp, ts and seq */
  d: PacketData;
  /** arrival, microseconds since the epoch, unique in this process */
  r: number;
  /** device time, milliseconds since the epoch; null when the packet brings none */
  t: number | null;
  q: number | null;
}

/** One refused packet, ready for the dead letters. */
export interface Reject {
  /** position in the batch; 0 for a single packet */
  index: number;
  reason: RejectReason;
  detail: string;
  /** escaped, at most 8 KB */
  payload: string;
  /** size as received */
  bytes: number;
  r: number;
}

export interface ParsedPackets {
  readings: Reading[];
  /** `positions[n]` is where `readings[n]` stood in the batch */
  positions: number[];
  rejects: Reject[];
  /** false when nothing at all could be made of it: not JSON, too large as a whole, or no object */
  usable: boolean;
}

/**
 * Reads one packet (an object) or a batch (an array of objects).
 * `arrival` gives the arrival time of every packet; see `createArrivalClock`.
 */
export function parsePacket(input: Uint8Array | string, arrival: ArrivalClock): ParsedPackets {
  const result: ParsedPackets = { readings: [], positions: [], rejects: [], usable: true };
  const whole = (reason: RejectReason, detail: string): ParsedPackets => {
    const bytes = typeof input === 'string' ? byteLength(input) : input.length;
    result.rejects.push({ index: 0, reason, detail, payload: escapePayload(input), bytes, r: arrival() });
    result.usable = false;
    return result;
  };

  if (input.length > MAX_BATCH_BYTES)
    return whole('too_large', `a batch has at most ${MAX_BATCH_BYTES} bytes`);
  const text = decodeText(input);
  if (text === null) return whole('not_json', 'not UTF-8');
  if (text.trim() === '') return whole('empty', 'nothing was sent');
  const split = splitPackets(text);
  if ('broken' in split) return whole('not_json', split.broken);
  const { batch, items } = split;
  if (items.length > MAX_BATCH_PACKETS)
    return whole('too_large', `a batch has at most ${MAX_BATCH_PACKETS} packets`);
  if (items.length === 0) return whole('empty', 'the batch has no packets');

  for (const [index, item] of items.entries()) {
    const r = arrival();
    try {
      result.readings.push(readItem(item, r));
      result.positions.push(index);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      const payload = escapePayload(item.text.slice(0, MAX_PACKET_BYTES));
      result.rejects.push({
        index,
        reason: error.reason,
        detail: error.message,
        payload,
        bytes: item.bytes,
        r,
      });
      const hopeless =
        error.reason === 'not_json' || error.reason === 'not_an_object' || error.reason === 'too_large';
      if (!batch && hopeless) result.usable = false;
    }
  }
  return result;
}

function readItem(item: RawItem, r: number): Reading {
  const source = readObject(item);
  const d = applyAliases(cleanObject(source, RESERVED_KEYS));
  const t = readTime(source['ts'] ?? source['timestamp'] ?? null, r);
  const q = readSeq(source['seq'] ?? null);
  for (const _ in d) return { d, r, t, q };
  throw new PacketError('empty', 'the packet has no values');
}

function readTime(value: unknown, r: number): number | null {
  if (value === null) return null;
  const time = parseDeviceTime(value);
  if (time === null) throw new PacketError('bad_ts', 'the time is neither ISO 8601 nor epoch milliseconds');
  const age = r / 1000 - time;
  if (age > MAX_AGE_MS) throw new PacketError('ts_out_of_range', 'the time is more than 7 days ago');
  if (-age > MAX_AHEAD_MS) throw new PacketError('ts_out_of_range', 'the time is more than 5 minutes ahead');
  return time;
}

function readSeq(value: unknown): number | null {
  if (value === null) return null;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new PacketError('bad_value', 'seq is a whole number, 0 or more');
}
