/** Pages by keyset. A cursor is the sort key of the row where the page ended, opaque to callers. */
import { AppError } from '../../_shared/errors.ts';

export type CursorValues = (string | number | null)[];

export interface Page<T> {
  items: T[];
  next: CursorValues | null;
  previous?: CursorValues | null;
  total?: number;
}

export function encodeCursor(values: CursorValues): string {
  const text = String.fromCharCode(...new TextEncoder().encode(JSON.stringify(values)));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Throws `invalid_request` for anything that `encodeCursor` did not make with so many values. */
export function decodeCursor(cursor: string, length: number): CursorValues {
  try {
    const text = atob(cursor.replaceAll('-', '+').replaceAll('_', '/'));
    const values: unknown = JSON.parse(
      new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0))),
    );
    if (Array.isArray(values) && values.length === length && values.every(isValue)) return values;
  } catch {
    // falls through to the one answer
  }
  throw new AppError('invalid_request', 'This cursor is not valid; start again without it.', {
    issues: [{ path: ['after'], code: 'custom', message: 'not a cursor' }],
  });
}

/** Cuts the extra row that `limit + 1` brought, and makes the cursor of the last row kept. */
export function cutPage<T>(rows: T[], limit: number, cursorOf: (row: T) => CursorValues): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

function isValue(value: unknown): value is string | number | null {
  return value === null || typeof value === 'number' || (typeof value === 'string' && !value.includes('\0'));
}
