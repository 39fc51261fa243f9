import type { Queryable } from '../db.ts';

/** Birth and last will: {s, online, r}, as JSON texts. */
export async function recordStatus(db: Queryable, items: readonly string[]): Promise<void> {
  await db.query('select ec.record_status($1::json)', [`[${items.join(',')}]`], 'record_status');
}
