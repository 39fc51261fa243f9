import { randomBytes } from 'node:crypto';
import type { Actor, Database, Session } from './database.ts';
import { register } from './register.ts';
import { makeSecret } from './secrets.ts';

export interface Claimable {
  id: string;
  num: number;
  serial: string;
  /** Hash of the code on its sticker. */
  code: Buffer;
}

/** A device fresh from the line of `maker`, with the code of its QR. */
export async function makeClaimable(db: Database, maker: Actor, serial: string): Promise<Claimable> {
  const secret = makeSecret();
  const { device } = await db.as(maker, (session) => register(session, serial, { secret }));
  const num = await db.value<number>('select num from public.devices where id = $1', [device.id]);
  return { id: device.id, num, serial, code: secret.claim };
}

export interface ClaimReply {
  device_id: string;
  serial: string;
  place: 'org' | 'portal';
  org_id: string;
  repeated: boolean;
}

export const claimIn = (
  session: Session,
  serial: string,
  code: Buffer,
  orgId?: string,
): Promise<ClaimReply> => session.value('select ec.claim_device($1, $2, $3)', [serial, code, orgId ?? null]);

export const claim = (db: Database, actor: Actor, device: Claimable, orgId?: string): Promise<ClaimReply> =>
  db.as(actor, (session) => claimIn(session, device.serial, device.code, orgId));

/** A new sticker; the one before ends. */
export async function reissue(db: Database, actor: Actor, device: Claimable): Promise<Claimable> {
  const code = randomBytes(32);
  await db.as(actor, (session) =>
    session.query('select ec.reissue_claim_code($1, $2)', [device.serial, code]),
  );
  return { ...device, code };
}

export const unclaim = (
  db: Database,
  actor: Actor,
  serial: string,
): Promise<{ serial: string; ended: string; visible: boolean }> =>
  db.as(actor, (session) => session.value('select ec.unclaim_device($1)', [serial]));

export const epochOf = (db: Session, orgId: string): Promise<number> =>
  db.value('select live_epoch from public.orgs where id = $1', [orgId]);
