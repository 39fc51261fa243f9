import type { Queryable } from '../db.ts';

/** This bridge takes readings now. Without it silence says nothing about devices, and none is marked offline. */
export async function recordHeartbeat(db: Queryable, name: string): Promise<void> {
  await db.query('select ec.record_heartbeat($1, now())', [`bridge:${name}`], 'record_heartbeat');
}
