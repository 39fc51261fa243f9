/** From the Authorization header to an actor. Four kinds of credential, told apart by how they begin. */
import { SECRET_PREFIX } from '@edgeconductor/sdk/contract';
import type { ApiScope, Plan, Role } from '@edgeconductor/sdk/contract';
import type { Claims, Db } from './db.ts';
import { AppError } from './errors.ts';
import type { UserClaims, VerifyToken } from './jwt.ts';
import { sha256, sha256Hex } from './secrets.ts';

export type Actor =
  | { kind: 'user'; id: string; claims: UserClaims }
  | { kind: 'api_key'; id: string; orgId: string; scopes: ApiScope[]; plan: Plan }
  | { kind: 'provisioning_key'; id: string; orgId: string; plan: Plan }
  | { kind: 'device'; id: string; serial: string }
  /** Nobody said who they are; only a few routes are open to them. */
  | { kind: 'anonymous' };
export type ActorKind = Actor['kind'];

/** What a Bearer token turned out to be, before anything was looked up. */
export type Credential =
  { kind: 'user'; token: string } | { kind: 'api_key' | 'provisioning_key' | 'device'; secret: string };

const HOW = 'Send "Authorization: Bearer …" with an access token, an API key or a device secret.';

/** Throws `unauthenticated` when there is no Bearer token. */
export function readCredential(header: string | undefined): Credential {
  const match = /^Bearer +([\x21-\x7e]{1,8192})$/i.exec(header?.trim() ?? '');
  const token = match?.[1];
  if (token === undefined) throw new AppError('unauthenticated', HOW);
  for (const kind of ['api_key', 'provisioning_key', 'device'] as const) {
    if (token.startsWith(SECRET_PREFIX[kind])) return { kind, secret: token };
  }
  return { kind: 'user', token };
}

/** A person or a key. Devices are resolved by `resolveDevice`, because their secret is only good for one serial. */
export async function resolveActor(
  sql: Db,
  verify: VerifyToken,
  credential: Credential & { kind: 'user' | 'api_key' | 'provisioning_key' },
): Promise<Actor> {
  if (credential.kind === 'user') {
    const claims = await verify(credential.token);
    return { kind: 'user', id: claims.sub, claims };
  }
  const hash = await sha256(credential.secret);
  const [row] = await sql<{ id: string; org_id: string; scopes: ApiScope[]; plan: Plan }[]>`
    select id, org_id, to_jsonb(scopes) as scopes, plan from ec.resolve_credential(${credential.kind}, ${hash})`;
  if (row === undefined)
    throw new AppError('unauthenticated', 'This key is unknown, revoked or has expired.');
  const { id, org_id: orgId, scopes, plan } = row;
  return credential.kind === 'api_key'
    ? { kind: 'api_key', id, orgId, scopes, plan }
    : { kind: 'provisioning_key', id, orgId, plan };
}

/** The device of a secret. Throws as `refuseSecret` says when it is not a live one of `serial`. */
export async function resolveDevice(
  sql: Db,
  serial: string,
  secret: string,
): Promise<Actor & { kind: 'device' }> {
  const hash = await sha256Hex(secret);
  const [row] = await sql<{ device_id: string }[]>`
    select device_id from ec.resolve_device(${serial}, decode(${hash}, 'hex'))`;
  if (row === undefined) throw await refuseSecret(sql, hash);
  return { kind: 'device', id: row.device_id, serial };
}

/** `forbidden` for a live secret of another device, else `unauthenticated`; whether the serial exists stays unsaid. */
export async function refuseSecret(sql: Db, hash: string): Promise<AppError> {
  const [row] = await sql<{ live: boolean }[]>`
    select ec.device_secret_is_live(decode(${hash}, 'hex')) as live`;
  return row?.live
    ? new AppError('forbidden', 'This secret belongs to another device.')
    : new AppError('unauthenticated', 'This secret is not a valid one of this device.');
}

export function claimsOf(actor: Actor): Claims {
  if (actor.kind === 'user') return { ...actor.claims };
  if (actor.kind === 'anonymous') return { role: 'anon' };
  return { role: 'authenticated', ec_kind: actor.kind, ec_id: actor.id };
}

export interface Standing {
  roles: Role[];
  plan: Plan | null;
}

/**
 * SQL for the first round trip of a request: a person's live roles, and whether they are still signed in.
 * Keys were just looked up.
 */
export function standingQuery(actor: Actor): string {
  if (actor.kind !== 'user') return 'select true as live';
  const session = actor.claims.session_id;
  // Both are checked to be UUIDs when the token is verified.
  return `select ${session === undefined ? 'false' : `ec.session_is_live('${session}')`} as live,
    (select coalesce(jsonb_agg(distinct m.role), '[]') from public.memberships m
      where m.user_id = '${actor.id}' and m.ended_at is null) as roles,
    (select max(array_position(array['starter', 'pro', 'business', 'enterprise'], o.plan))
      from public.memberships m join public.orgs o on o.id = m.org_id
      where m.user_id = '${actor.id}' and m.ended_at is null) as plan`;
}

const PLANS: (Plan | undefined)[] = [undefined, 'starter', 'pro', 'business', 'enterprise'];

/** Throws `unauthenticated` when the person signed out, was signed out, or is gone. */
export function readStanding(rows: Record<string, unknown>[]): Standing {
  const row = rows[0];
  if (row?.['live'] !== true) throw new AppError('unauthenticated', 'This session has ended; sign in again.');
  return {
    roles: (row['roles'] as Role[] | undefined) ?? [],
    plan: PLANS[(row['plan'] as number | null | undefined) ?? 0] ?? null,
  };
}
