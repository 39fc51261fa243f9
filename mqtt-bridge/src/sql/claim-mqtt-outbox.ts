import type { Queryable } from '../db.ts';

export interface OutboxRow {
  /** bigint, as text */
  id: string;
  serial: string;
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
  /** After this nobody wants it any more. */
  expires_at?: Date | null;
}

/** Unsent messages, oldest first, leased to this worker for 30 seconds; expired ones never come. */
export async function claimMqttOutbox(db: Queryable, worker: string, max: number): Promise<OutboxRow[]> {
  return db.query<OutboxRow>(
    'select * from ec.claim_mqtt_outbox($1, $2)',
    [worker, max],
    'claim_mqtt_outbox',
  );
}
