import type { Queryable } from '../db.ts';

/** Not sent after all: anybody may claim these again at once. */
export async function releaseMqttOutbox(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query('select ec.release_mqtt_outbox($1::bigint[])', [ids], 'release_mqtt_outbox');
}
