import type { Db } from '../../_shared/db.ts';

export type Action = 'read' | 'control' | 'configure' | 'invite' | 'ota' | 'provision';

/** Throws `not_found` for an org the actor may not even read, `forbidden` for one it may only read. */
export async function requireOrg(db: Db, orgId: string, action: Action): Promise<void> {
  await db`select private.require_org(${orgId}, ${action})`;
}
