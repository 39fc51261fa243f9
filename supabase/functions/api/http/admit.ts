/** Who stands at the door: the credential, its rate limit, and whether the route is open to its kind. */
import { DEVICE_REQUESTS_PER_MINUTE, PLAN_REQUESTS_PER_MINUTE } from '@edgeconductor/sdk/contract';
import type { ApiScope, Plan } from '@edgeconductor/sdk/contract';
import { resolveActor, resolveDevice } from '../../_shared/auth.ts';
import type { Actor, Credential, Standing } from '../../_shared/auth.ts';
import { AppError } from '../../_shared/errors.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Who } from './route.ts';

const MOST = PLAN_REQUESTS_PER_MINUTE.enterprise;

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
    const actor = await resolveDevice(around.sql, serial, credential.secret);
    takeDeviceTurn(around, actor.id);
    return actor;
  }
  const { kind } = credential;
  const actor = await resolveActor(around.sql, around.verify, { ...credential, kind } as Parameters<
    typeof resolveActor
  >[2]);
  const plan = actor.kind === 'api_key' || actor.kind === 'provisioning_key' ? actor.plan : null;
  around.limiter.take(limitKey(actor), plan && PLAN_REQUESTS_PER_MINUTE[plan], MOST);
  checkKind(actor, who);
  return actor;
}

/** Device routes have a limit of their own; `key` identifies the device or its secret. */
export function takeDeviceTurn(around: Surroundings, key: string): void {
  const limit = around.env.deviceRequestsPerMinute ?? DEVICE_REQUESTS_PER_MINUTE;
  around.limiter.take(`device:${key}`, limit, limit);
}

/** Once the transaction told a person's roles and plan. */
export function checkStanding(around: Surroundings, actor: Actor, standing: Standing, who: Who): void {
  if (actor.kind !== 'user') return;
  const plan: Plan | null = standing.plan;
  around.limiter.learn(limitKey(actor), plan === null ? MOST : PLAN_REQUESTS_PER_MINUTE[plan]);
  if (who.anyone || standing.roles.some((role) => who.roles?.includes(role))) return;
  throw new AppError('forbidden', 'Your role does not include this.');
}

function checkKind(actor: Actor, who: Who): void {
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

function limitKey(actor: Actor): string {
  return `${actor.kind}:${actor.id}`;
}
