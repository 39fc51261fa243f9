import type { ImportRow } from '@edgeconductor/sdk';

export interface ImportChange {
  key: string;
  /** Null: there was nothing. */
  from: string | null;
  to: string | null;
}

/** What a line changes, as texts; empty ones that stay empty are left out. */
export function describeChanges({ changes }: Pick<ImportRow, 'changes'>): ImportChange[] {
  return Object.entries(changes ?? {})
    .map(([key, { from, to }]) => ({ key, from: toText(from), to: toText(to) }))
    .filter(({ from, to }) => from !== to);
}

function toText(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(String).join(', ');
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value as string | number | boolean);
}

/** The lines that were refused, as a file to mend and to import again. */
export function errorsAsCsv(rows: readonly ImportRow[]): string {
  const lines = rows
    .filter(({ action }) => action === 'error')
    .flatMap(({ line, serial, errors }) =>
      errors.map(({ column, detail }) => [String(line), serial ?? '', column ?? '', detail]),
    );
  return [['line', 'serial', 'column', 'error'], ...lines]
    .map((cells) => `${cells.map(toCell).join(',')}\r\n`)
    .join('');
}

/** A text that begins like a formula gets a quote before it, so that no spreadsheet runs it. */
function toCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
