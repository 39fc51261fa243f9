/** Bodies of the other device topics: `shadow/reported` and `status`. Like packets, they never throw. */
import { escapePayload } from './packet-escape.ts';
import { MAX_PACKET_BYTES } from './packet-limits.ts';
import type { RejectReason } from './packet-limits.ts';
import { splitPackets } from './packet-split.ts';
import { byteLength, decodeText, readObject } from './packet-text.ts';
import { cleanObject, PacketError } from './packet-values.ts';
import type { JsonValue, PacketData } from './packet-values.ts';

export type DocumentResult =
  | { ok: true; data: PacketData }
  | { ok: false; reason: RejectReason; detail: string; payload: string; bytes: number };

/** A flat or nested document under the rules of packets; null stays, it removes the key. In arrays it has no meaning. */
export function parseShadowDocument(input: Uint8Array | string): DocumentResult {
  return parseDocument(input, (data) => {
    const key = Object.keys(data).find((one) => hasNullInArray(data[one] as JsonValue, false));
    if (key !== undefined) throw new PacketError('bad_value', `${key} has null in an array`);
  });
}

/** Any JSON object under the rules of packets; `check` may refuse it by a PacketError. */
export function parseDocument(
  input: Uint8Array | string,
  check: (data: PacketData) => void = () => {},
): DocumentResult {
  try {
    const data = cleanObject(readSingle(input), null, true);
    check(data);
    return { ok: true, data };
  } catch (error) {
    if (!(error instanceof PacketError)) throw error;
    const { reason, message: detail } = error;
    return { ok: false, reason, detail, payload: escapePayload(input), bytes: byteLength(input) };
  }
}

/** `{"online":true}` (birth) → true, `{"online":false}` (last will) → false, anything else → null. */
export function parseStatus(input: Uint8Array | string): boolean | null {
  const document = parseShadowDocument(input);
  const online = document.ok ? document.data['online'] : null;
  return typeof online === 'boolean' ? online : null;
}

/** Arrays are replaced as a whole: whoever writes null into one means something that will not happen. */
function hasNullInArray(value: JsonValue, inArray: boolean): boolean {
  if (value === null) return inArray;
  if (Array.isArray(value)) return value.some((entry) => hasNullInArray(entry, true));
  if (typeof value !== 'object') return false;
  return Object.values(value).some((entry) => hasNullInArray(entry, inArray));
}

function readSingle(input: Uint8Array | string): Record<string, unknown> {
  const bytes = byteLength(input);
  if (bytes > MAX_PACKET_BYTES)
    throw new PacketError('too_large', `at most ${MAX_PACKET_BYTES} bytes are taken`);
  const text = decodeText(input);
  if (text === null) throw new PacketError('not_json', 'not UTF-8');
  if (text.trim() === '') throw new PacketError('empty', 'nothing was sent');
  const split = splitPackets(text);
  if ('broken' in split) throw new PacketError('not_json', split.broken);
  const [item] = split.items;
  if (split.batch || item === undefined) throw new PacketError('not_an_object', 'a JSON object is needed');
  return readObject(item);
}
