import type { Queryable } from '../db.ts';

/** What devices say about updates: {s, j, a?, state, percent?, reason?, retry_s?, r}, as JSON texts. */
export async function recordOtaStatus(db: Queryable, items: readonly string[]): Promise<void> {
  await db.query('select ec.record_ota_status($1::json)', [`[${items.join(',')}]`], 'record_ota_status');
}
