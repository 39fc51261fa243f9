import type { Queryable } from '../db.ts';

/** Starts, sends, times out, stops and completes update jobs as far as they have come; safe beside another one. */
export async function advanceOtaJobs(db: Queryable): Promise<void> {
  await db.query('select ec.advance_ota_jobs(clock_timestamp())', [], 'advance_ota_jobs');
}
