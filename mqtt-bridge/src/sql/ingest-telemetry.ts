import type { Queryable } from '../db.ts';

export interface IngestResult {
  accepted: number;
  duplicate: number;
  rejected: number;
}

/**
 * Stores packets; committed when this resolves. `packets` are JSON objects without their opening `{"i":n,`.
 * Repeating a call with the same packets stores nothing twice: their arrival times come along.
 */
export async function ingestTelemetry(db: Queryable, packets: readonly string[]): Promise<IngestResult> {
  let batch = '[';
  for (let i = 0; i < packets.length; i++) batch += `${i === 0 ? '' : ','}{"i":${i},${packets[i]}`;
  const [row] = await db.query<{ result: IngestResult }>(
    `select ec.ingest_telemetry($1::json, 'mqtt') as result`,
    [batch + ']'],
    'ingest_telemetry',
  );
  return row?.result ?? { accepted: 0, duplicate: 0, rejected: 0 };
}
