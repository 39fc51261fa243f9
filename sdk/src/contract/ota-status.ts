/** Body of ota/status as devices send it over MQTT. Like packets, it never throws, and what is merely odd is left out. */
import { MAX_OTA_REASON, OTA_REPORTS } from './ota-message.ts';
import { escapePayload } from './packet-escape.ts';
import { byteLength } from './packet-text.ts';
import type { JsonValue, PacketData } from './packet-values.ts';
import { parseDocument } from './shadow-message.ts';
import type { DocumentResult } from './shadow-message.ts';

export interface OtaReport {
  job_id: string;
  state: (typeof OTA_REPORTS)[number];
  attempt?: number;
  /** Whole, 0…100. */
  percent?: number;
  reason?: string;
  /** Seconds, 0…86,400. */
  retry_s?: number;
}

export type OtaReportResult = { ok: true; report: OtaReport } | (DocumentResult & { ok: false });

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const MAX_RETRY_S = 86_400;
const MAX_ATTEMPT = 2 ** 31 - 1;

/**
 * Needed are a job and a known state. A percentage, an attempt or a wait that is none is left out rather than
 * losing the report: that an update failed is worth more than a well-formed number.
 */
export function parseOtaStatus(input: Uint8Array | string): OtaReportResult {
  const document = parseDocument(input);
  if (!document.ok) return document;
  const { job_id, reason } = document.data;
  const state = OTA_REPORTS.find((known) => known === document.data['state']);
  if (typeof job_id !== 'string' || !UUID.test(job_id) || !state) {
    const detail = `a report is {"job_id", "state": ${OTA_REPORTS.join(' | ')}, "percent"?, "reason"?, …}`;
    return {
      ok: false,
      reason: 'bad_value',
      detail,
      payload: escapePayload(input),
      bytes: byteLength(input),
    };
  }
  return {
    ok: true,
    report: {
      job_id: job_id.toLowerCase(),
      state,
      ...number(document.data, 'attempt', 1, MAX_ATTEMPT),
      ...number(document.data, 'percent', 0, 100),
      ...number(document.data, 'retry_s', 0, MAX_RETRY_S),
      ...(typeof reason === 'string' && reason !== '' ? { reason: reason.slice(0, MAX_OTA_REASON) } : {}),
    },
  };
}

/** A member as a whole number within bounds; nothing when it is no number. An attempt below 1 is none either. */
function number(data: PacketData, key: 'attempt' | 'percent' | 'retry_s', min: number, max: number): object {
  const value: JsonValue | undefined = data[key];
  if (typeof value !== 'number' || (key === 'attempt' && (value < min || value > max))) return {};
  return { [key]: Math.round(Math.min(max, Math.max(min, value))) };
}
