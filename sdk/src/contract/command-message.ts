/** Body of cmd/ack: `{"id","ok","result"?}`. Like packets, it never throws. */
import type { JsonValue } from './packet-values.ts';
import { parseDocument } from './shadow-message.ts';
import type { DocumentResult } from './shadow-message.ts';
import { byteLength } from './packet-text.ts';
import { escapePayload } from './packet-escape.ts';

export type AckResult =
  { ok: true; id: string; success: boolean; result: JsonValue } | (DocumentResult & { ok: false });

const MAX_ID_LENGTH = 64;

/** `success` is what the device says; `ok: false` is a message that cannot be read, with the reason. */
export function parseCommandAck(input: Uint8Array | string): AckResult {
  const document = parseDocument(input);
  if (!document.ok) return document;
  const { id, ok, result } = document.data;
  if (typeof id === 'string' && id.length <= MAX_ID_LENGTH && typeof ok === 'boolean')
    return { ok: true, id, success: ok, result: result ?? null };
  const detail = 'an acknowledgement is {"id": text, "ok": true or false, "result"?}';
  return { ok: false, reason: 'bad_value', detail, payload: escapePayload(input), bytes: byteLength(input) };
}
