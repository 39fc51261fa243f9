/** What a device that speaks HTTPS asks for and reports besides telemetry. */
import { parsePacket } from '@edgeconductor/sdk/contract';
import type {
  ArrivalClock,
  DeviceCommands,
  ReportedAccepted,
  Reject,
  TelemetryAccepted,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { readDocument } from './shadow.ts';

/** Commands that wait, and the full desired document; null when the device is to restart before anything else. */
export async function readCommands(db: Db, serial: string): Promise<DeviceCommands | null> {
  const [row] = await db<
    { answer: DeviceCommands & { reboot?: boolean } }[]
  >`select ec.read_device_commands(${serial}) as answer`;
  const { reboot, ...answer } = (row as { answer: DeviceCommands & { reboot?: boolean } }).answer;
  return reboot ? null : answer;
}

/** Merges a reported document; null removes a key. */
export async function reportShadow(
  db: Db,
  serial: string,
  body: Uint8Array,
  arrival: ArrivalClock,
): Promise<ReportedAccepted> {
  const document = readDocument(body);
  const [row] = await db<{ state: ReportedAccepted }[]>`
    select ec.report_device_shadow(${serial}, ${JSON.stringify(document)}::text::jsonb, ${arrival()}) as state`;
  return (row as { state: ReportedAccepted }).state;
}

/** Telemetry that cannot take the express way: an API key pushes for a device, or the request is idempotent.
 *  `reboot`: stored, and the device is to restart. */
export async function pushTelemetry(
  db: Db,
  serial: string,
  body: Uint8Array,
  arrival: ArrivalClock,
): Promise<TelemetryAccepted | AppError | 'reboot'> {
  const parsed = parsePacket(body, arrival);
  const [row] = await db<{ result: TelemetryCounts & { reboot: boolean } }[]>`
    select ec.push_telemetry(${serial}, ${JSON.stringify(parsed.readings)}::text::json,
      ${JSON.stringify(parsed.rejects)}::text::json) as result`;
  const { reboot, ...counts } = (row as { result: TelemetryCounts & { reboot: boolean } }).result;
  return reboot ? 'reboot' : telemetryReply(counts, parsed.rejects, parsed.usable);
}

export interface TelemetryCounts {
  accepted: number;
  duplicate: number;
  rejected: number;
}

/** A refusal is returned and not thrown when nothing could be made of the body: its dead letter has to stay. */
export function telemetryReply(
  counts: TelemetryCounts,
  rejects: Reject[],
  usable: boolean,
): TelemetryAccepted | AppError {
  const named = rejects.slice(0, 100).map(({ index, reason, detail }) => ({ index, reason, detail }));
  if (!usable) {
    const [first] = named;
    const code = first?.reason === 'too_large' ? 'too_large' : 'invalid_request';
    const issues = named.map(({ reason, detail }) => ({ path: [], code: reason, message: detail }));
    return new AppError(code, first?.detail, { issues });
  }
  const { accepted, duplicate, rejected } = counts;
  return { ok: true, accepted, duplicate, rejected, ...(named.length > 0 ? { rejects: named } : {}) };
}
