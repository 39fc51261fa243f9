import { ROLE_HOME, widestRole } from '@edgeconductor/sdk/contract';
import type { Me, MePatch } from '@edgeconductor/sdk/contract';
import type { Actor } from '../../_shared/auth.ts';
import type { Db } from '../../_shared/db.ts';

export async function whoAmI(db: Db, actor: Actor): Promise<Me> {
  const nobody = {
    email: null,
    full_name: null,
    preferences: {},
    role: null,
    home: null,
    memberships: [],
    name: null,
    org_id: null,
    scopes: null,
  };
  // SQL knows nothing about a provisioning key but that it is one.
  if (actor.kind === 'provisioning_key')
    return { ...nobody, kind: actor.kind, id: actor.id, org_id: actor.orgId };
  const [row] = await db<{ me: Partial<Me> & Pick<Me, 'kind' | 'id'> }[]>`select ec.me() as me`;
  const { me } = row as { me: Partial<Me> & Pick<Me, 'kind' | 'id'> };
  const role = widestRole((me.memberships ?? []).map((membership) => membership.role));
  const { kind, id, email, full_name, preferences, memberships, name, org_id, scopes } = { ...nobody, ...me };
  const home = role && ROLE_HOME[role];
  return { kind, id, email, full_name, preferences, role, home, memberships, name, org_id, scopes };
}

export async function patchMe(db: Db, actor: Actor, patch: MePatch): Promise<Me> {
  await db`select ec.update_me(${JSON.stringify(patch)}::text::jsonb)`;
  return whoAmI(db, actor);
}
