import type { Queryable } from '../db.ts';

/** The broker acknowledged these. */
export async function finishMqttOutbox(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query('select ec.finish_mqtt_outbox($1::bigint[])', [ids], 'finish_mqtt_outbox');
}
