import type { Queryable } from '../db.ts';

export interface OutboxRow {
  /** bigint, as text */
  id: string;
  serial: string;
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
  /** Milliseconds from the claim on after which nobody wants it any more; the database's clock alone counts. */
  expires_in_ms: number | null;
}

/** Unsent messages, oldest first, leased to this worker for 30 seconds; expired ones never come. */
export async function claimMqttOutbox(db: Queryable, worker: string, max: number): Promise<OutboxRow[]> {
  return db.query<OutboxRow>(
    `select id, serial, topic, payload, qos, retain,
       extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as expires_in_ms
     from ec.claim_mqtt_outbox($1, $2)`,
    [worker, max],
    'claim_mqtt_outbox',
  );
}
