import type { Queryable } from '../db.ts';

/** Sends the newest state to screens that were held back; returns how many live topics are leased. */
export async function sweepLive(db: Queryable): Promise<number> {
  const [row] = await db.query<{ leases: number }>('select ec.sweep_live(now()) as leases', [], 'sweep_live');
  return row?.leases ?? 0;
}
