/** Columns people can choose; device and status always stay. */

export const COLUMNS = [
  { key: 'readings', label: 'Readings' },
  { key: 'room', label: 'Room' },
  { key: 'type', label: 'Type' },
  { key: 'firmware', label: 'Firmware' },
  { key: 'seen', label: 'Last seen' },
  { key: 'tags', label: 'Tags' },
] as const;

export type ColumnKey = (typeof COLUMNS)[number]['key'];

const DEFAULT: readonly ColumnKey[] = ['readings', 'room', 'firmware', 'seen'];

/** From the cookie; nonsense means the default. */
export function readColumns(cookie: string | undefined): ColumnKey[] {
  if (cookie === undefined) return [...DEFAULT];
  const wanted = cookie.split('.');
  return COLUMNS.map((column) => column.key).filter((key) => wanted.includes(key));
}

export function writeColumns(columns: readonly ColumnKey[]): string {
  return columns.join('.') || 'none';
}
