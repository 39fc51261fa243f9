/** What a running copy of the function holds for all requests; services take from it what the world decides. */
import type { ArrivalClock } from '@edgeconductor/sdk/contract';
import type { Db } from '../_shared/db.ts';
import type { Env } from '../_shared/env.ts';
import type { VerifyToken } from '../_shared/jwt.ts';
import type { FileStore } from '../_shared/storage.ts';
import type { DeviceDoor } from './services/device-door.ts';
import type { RateLimiter } from './http/rate-limit.ts';

export interface Surroundings {
  env: Env;
  /** As ec_api: may resolve credentials and use the device door, nothing else. */
  sql: Db;
  verify: VerifyToken;
  limiter: RateLimiter;
  door: DeviceDoor;
  /** The bucket of images. */
  firmware: FileStore;
  /** Arrival times of packets, unique in this process. */
  arrival: ArrivalClock;
  now(): Date;
}
