/** Leases of live topics, and tokens for credentials that are no JWT. */
import { LEASE_RENEW_S } from '@edgeconductor/sdk/contract';
import type { LiveLease, LiveLeases, LiveToken } from '@edgeconductor/sdk/contract';
import { claimsOf } from '../../_shared/auth.ts';
import type { Actor } from '../../_shared/auth.ts';
import type { Db } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { signToken } from '../../_shared/jwt.ts';
import type { Surroundings } from '../surroundings.ts';
import { missing } from './devices.ts';

const TOKEN_LIFE_MS = 10 * 60_000;

/** Starts or renews leases; topics the actor may not watch are left out. */
export async function leaseTopics(db: Db, topics: string[], now: Date): Promise<LiveLeases> {
  const leases = await db<
    LiveLease[]
  >`select asked, topic, expires_at from ec.lease_topics(${topics}::text[])`;
  return { leases: [...leases], renew_s: LEASE_RENEW_S, server_time: now.toISOString() };
}

/** A JWT for exactly the topics that could be leased. Throws `not_found` when there is none. */
export async function makeLiveToken(
  db: Db,
  actor: Actor,
  topics: string[],
  around: Surroundings,
): Promise<LiveToken> {
  const secret = around.env.jwtSecret;
  if (secret === null)
    throw new AppError('unavailable', 'Live tokens are not set up here: EC_JWT_SECRET is missing.');
  const now = around.now();
  const leased = await leaseTopics(db, topics, now);
  if (leased.leases.length === 0) throw missing();
  const expiresAt = new Date(now.getTime() + TOKEN_LIFE_MS);
  const claims = {
    ...claimsOf(actor),
    aud: 'authenticated',
    ec_topics: leased.leases.map((lease) => lease.topic),
  };
  const token = await signToken(secret, claims, expiresAt);
  return { ...leased, token, expires_at: expiresAt.toISOString() };
}
