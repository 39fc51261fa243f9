/** CSV that a spreadsheet opens without running anything in it. */
import type { AuditEntry, Device, TelemetryRow } from '@edgeconductor/sdk/contract';

/** Lines that an export has at most; the rest is asked for with filters. */
export const MAX_CSV_LINES = 10_000;

/** `timestamp`, then every key that occurs (or the asked ones, in their order). */
export function toCsv(rows: TelemetryRow[], metrics: string[] | undefined): string {
  const keys =
    metrics ??
    [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => key !== 'timestamp').sort();
  const columns = ['timestamp', ...keys];
  return toTable(
    columns,
    rows.map((row) => columns.map((key) => row[key])),
  );
}

/** The columns an import takes, and what the device does besides. */
export function devicesToCsv(devices: Device[]): string {
  const attributes = [...new Set(devices.flatMap((device) => Object.keys(device.attributes)))].sort();
  const columns = ['serial', 'product_type', 'name', 'location', 'tags', 'status', 'last_seen', 'fw_version'];
  return toTable(
    [...columns, ...attributes.map((key) => `attributes.${key}`)],
    devices.map((device) => [
      device.serial_no,
      device.product_type,
      device.name,
      device.room_path?.split(' · ').join(' / '),
      device.tags.join(';'),
      device.status,
      device.last_seen,
      device.fw_version,
      ...attributes.map((key) => device.attributes[key]),
    ]),
  );
}

export function auditToCsv(entries: AuditEntry[]): string {
  const columns = [
    'created_at',
    'actor',
    'actor_kind',
    'action',
    'target_kind',
    'target_id',
    'before',
    'after',
    'address',
    'request_id',
  ] as const;
  return toTable(
    columns,
    entries.map((entry) => columns.map((column) => entry[column])),
  );
}

/** RFC 4180. */
function toTable(columns: readonly string[], rows: unknown[][]): string {
  return [columns, ...rows].map((line) => line.map(toCell).join(',') + '\r\n').join('');
}

const FORMULA = /^[=+\-@\t\r]/;

/** A text that begins like a formula gets a quote before it; numbers stay numbers. */
export function toCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The text that `toCell` was given. */
export function withoutGuard(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell;
}
