import type { Queryable } from '../db.ts';

/** Puts the retained messages of every device into the outbox again. */
export async function restoreRetained(db: Queryable): Promise<void> {
  await db.query('select ec.restore_retained()', [], 'restore_retained');
}

/** Id of the newest retained message that a broker acknowledged, bigint as text; `0` when there is none. */
export async function readRetainedMark(db: Queryable): Promise<string> {
  const [row] = await db.query<{ mark: string | null }>(
    'select ec.retained_mark()::text as mark',
    [],
    'retained_mark',
  );
  return row?.mark ?? '0';
}
