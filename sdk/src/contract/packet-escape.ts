/** Makes any refused payload printable and storable: what cannot be text appears as an escape. */
import { MAX_PACKET_BYTES } from './packet-limits.ts';

// Everything but tab, line feed, printable characters
const UNPRINTABLE = /[\0-\x08\x0b-\x1f\x7f]|\p{Cs}/gu;

/** At most 8 KB of text that Postgres stores and a browser shows. Bytes that are not UTF-8 become `\xNN`. */
export function escapePayload(input: Uint8Array | string): string {
  const text = typeof input === 'string' ? input.slice(0, MAX_PACKET_BYTES) : decodeLossless(input);
  return cutToBytes(
    text.replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    MAX_PACKET_BYTES,
  );
}

function decodeLossless(bytes: Uint8Array): string {
  const head = bytes.subarray(0, MAX_PACKET_BYTES);
  try {
    // stream: a character cut in half by the limit is not an error
    return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    let text = '';
    for (const byte of head) {
      const printable = byte === 9 || byte === 10 || (byte >= 32 && byte < 127);
      text += printable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    }
    return text;
  }
}

function cutToBytes(text: string, max: number): string {
  if (text.length * 3 <= max) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= max) return text;
  return new TextDecoder('utf-8').decode(bytes.subarray(0, max - 3), { stream: true }) + '…';
}
