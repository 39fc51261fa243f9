/** Builds the app from its environment. */
import { createArrivalClock } from '@edgeconductor/sdk/contract';
import type { Hono } from 'hono';
import { connect, keepNear } from '../_shared/db.ts';
import { readEnv } from '../_shared/env.ts';
import type { ReadVariable } from '../_shared/env.ts';
import { createVerifier } from '../_shared/jwt.ts';
import { openBucket } from '../_shared/storage.ts';
import { createApp } from './app.ts';
import { RateLimiter } from './http/rate-limit.ts';
import { DeviceDoor } from './services/device-door.ts';
import type { DoorCall, DoorResult } from './services/device-door.ts';
import { takeTurns } from './services/turns.ts';

/** As many as a small machine has cores. */
const NEAR_CONNECTIONS = 2;

export function startApp(read: ReadVariable): Hono {
  const env = readEnv(read);
  const sql = connect(env.dbUrl, env.dbPool);
  keepNear(sql, env.dbUrl, NEAR_CONNECTIONS);
  const ingest = async (requests: DoorCall[]): Promise<(DoorResult & { i: number })[]> => {
    const [row] = await sql<{ results: (DoorResult & { i: number })[] }[]>`
      select ec.ingest_device_requests(${JSON.stringify(requests)}::text::json) as results`;
    return row?.results ?? [];
  };
  return createApp({
    env,
    sql,
    verify: createVerifier(env),
    limiter: new RateLimiter(takeTurns(connect(env.dbUrl, 1, 'ec-api limits'))),
    door: new DeviceDoor(ingest),
    firmware: openBucket(env, 'firmware'),
    arrival: createArrivalClock(),
    now: () => new Date(),
  });
}
