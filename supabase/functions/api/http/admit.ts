/** Who stands at the door: the credential, its rate limit, and whether the route is open to its kind. */
import { DEVICE_REQUESTS_PER_MINUTE, PLAN_REQUESTS_PER_MINUTE } from '@edgeconductor/sdk/contract';
import type { ApiScope, Plan } from '@edgeconductor/sdk/contract';
import { resolveActor, resolveDevice } from '../../_shared/auth.ts';
import type { Actor, Credential, Standing } from '../../_shared/auth.ts';
import { AppError } from '../../_shared/errors.ts';
import { sha256Hex } from '../../_shared/secrets.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Who } from './route.ts';

const MOST = PLAN_REQUESTS_PER_MINUTE.enterprise;
const MINUTE_S = 60;

/** The actor behind the credential; throws unauthenticated, forbidden or rate_limited. */
export async function admit(
  around: Surroundings,
  credential: Credential,
  who: Who,
  serial: string | undefined,
): Promise<Actor> {
  if (credential.kind === 'device') {
    if (!who.device || serial === undefined)
      throw new AppError('forbidden', 'A device secret opens device routes only.');
    await takeDeviceTurn(around, await sha256Hex(credential.secret));
    return resolveDevice(around.sql, serial, credential.secret);
  }
  const { kind } = credential;
  const actor = await resolveActor(around.sql, around.verify, { ...credential, kind } as Parameters<
    typeof resolveActor
  >[2]);
  checkKind(actor, who);
  if (actor.kind === 'user') around.limiter.check(limitKey(actor));
  if (actor.kind === 'api_key' || actor.kind === 'provisioning_key')
    await takePlanTurn(around, limitKey(actor), actor.plan);
  return actor;
}

/** Device routes have a limit of their own, counted by the secret: one made up can use up nobody else's. */
export function takeDeviceTurn(around: Surroundings, secretHash: string): Promise<void> {
  const limit = around.env.deviceRequestsPerMinute ?? DEVICE_REQUESTS_PER_MINUTE;
  return around.limiter.take({ key: `device:${secretHash.slice(0, 32)}`, limit, windowS: MINUTE_S });
}

/** Once the transaction told a person's roles and plan. */
export async function checkStanding(
  around: Surroundings,
  actor: Actor,
  standing: Standing,
  who: Who,
): Promise<void> {
  if (actor.kind !== 'user') return;
  await takePlanTurn(around, limitKey(actor), standing.plan);
  if (who.anyone || who.anonymous || standing.roles.some((role) => who.roles?.includes(role))) return;
  throw new AppError('forbidden', 'Your role does not include this.');
}

function checkKind(actor: Actor, who: Who): void {
  if (who.anonymous) return;
  switch (actor.kind) {
    case 'user':
      if (!who.roles && !who.anyone) throw new AppError('forbidden', 'People may not call this route.');
      return;
    case 'api_key':
      checkScopes(actor.scopes, who.api_key);
      return;
    case 'provisioning_key':
      if (!who.provisioning_key)
        throw new AppError('forbidden', 'A provisioning key can only register devices.');
      return;
    case 'device':
    case 'anonymous':
      return;
  }
}

function checkScopes(scopes: ApiScope[], needed: readonly ApiScope[] | undefined): void {
  if (needed === undefined) throw new AppError('forbidden', 'API keys may not call this route.');
  const lacking = needed.filter((scope) => !scopes.includes(scope));
  if (lacking.length > 0) {
    throw new AppError('forbidden', `This API key lacks the scope "${lacking.join('" and "')}".`, {
      needed_scopes: needed,
    });
  }
}

function takePlanTurn(around: Surroundings, key: string, plan: Plan | null): Promise<void> {
  const limit = plan === null ? MOST : PLAN_REQUESTS_PER_MINUTE[plan];
  return around.limiter.take({ key, limit, windowS: MINUTE_S });
}

function limitKey(actor: Exclude<Actor, { kind: 'anonymous' }>): string {
  return `${actor.kind}:${actor.id}`;
}
