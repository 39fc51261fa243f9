import type { Queryable } from '../db.ts';

/** Refused packets: {s, door, reason, detail, payload, bytes, r}, as JSON texts. */
export async function recordDeadLetters(db: Queryable, items: readonly string[]): Promise<void> {
  await db.query('select ec.record_dead_letters($1::json)', [`[${items.join(',')}]`], 'record_dead_letters');
}
