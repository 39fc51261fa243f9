/** CSV that a spreadsheet opens without running anything in it. */
import type { TelemetryRow } from '@edgeconductor/sdk/contract';

/** `timestamp`, then every key that occurs (or the asked ones, in their order). RFC 4180. */
export function toCsv(rows: TelemetryRow[], metrics: string[] | undefined): string {
  const keys =
    metrics ??
    [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => key !== 'timestamp').sort();
  const columns = ['timestamp', ...keys];
  const lines = [columns, ...rows.map((row) => columns.map((key) => row[key]))];
  return lines.map((line) => line.map(toCell).join(',') + '\r\n').join('');
}

/** A text that begins like a formula gets a quote before it; numbers stay numbers. */
export function toCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
