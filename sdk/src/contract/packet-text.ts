/** From bytes to a checked JSON object: the steps that packets and shadow documents share. */
import { MAX_DEPTH, MAX_PACKET_BYTES } from './packet-limits.ts';
import type { RawItem } from './packet-split.ts';
import { PacketError } from './packet-values.ts';

/** Null when the bytes are not UTF-8. */
export function decodeText(input: Uint8Array | string): string | null {
  if (typeof input === 'string') return input;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input);
  } catch {
    return null;
  }
}

export function byteLength(input: Uint8Array | string): number {
  return typeof input === 'string' ? new TextEncoder().encode(input).length : input.length;
}

/** Throws PacketError. Size and depth are looked at before anything is parsed. */
export function readObject(item: RawItem): Record<string, unknown> {
  if (item.bytes > MAX_PACKET_BYTES)
    throw new PacketError('too_large', `at most ${MAX_PACKET_BYTES} bytes are taken`);
  if (item.depth > MAX_DEPTH) throw new PacketError('too_deep', `at most ${MAX_DEPTH} levels may nest`);
  let source: unknown;
  try {
    source = JSON.parse(item.text);
  } catch {
    throw new PacketError('not_json', 'not valid JSON');
  }
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw new PacketError('not_an_object', 'a JSON object is needed');
  }
  return source as Record<string, unknown>;
}
