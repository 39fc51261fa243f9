import type { Queryable } from '../db.ts';

/** Answers of devices to commands: {s, id, ok, result, r}, as JSON texts. */
export async function recordCommandAcks(db: Queryable, items: readonly string[]): Promise<void> {
  await db.query('select ec.record_command_acks($1::json)', [`[${items.join(',')}]`], 'record_command_acks');
}
