import type { Queryable } from '../db.ts';

/** Documents of shadow/reported: {s, d, r, door}, as JSON texts. */
export async function recordReported(db: Queryable, items: readonly string[]): Promise<void> {
  await db.query('select ec.record_reported($1::json)', [`[${items.join(',')}]`], 'record_reported');
}
