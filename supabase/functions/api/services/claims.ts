/** Claiming a device with the code of its QR, and the codes. Codes are looked up by their hash. */
import type {
  Claimed,
  ClaimCodeIssued,
  ClaimCodeStatus,
  ClaimPreview,
  ClaimRequest,
  Device,
  Tenure,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import type { Env } from '../../_shared/env.ts';
import { makeClaimCode, sha256 } from '../../_shared/secrets.ts';
import { claimUrl } from './device-secrets.ts';
import { getDevice } from './devices.ts';
import { isoTimes } from './times.ts';

export async function previewClaim(db: Db, serial: string, code: string): Promise<ClaimPreview> {
  const [row] = await db<{ preview: ClaimPreview }[]>`
    select ec.preview_claim(${serial}, ${await sha256(code)}) as preview`;
  return (row as { preview: ClaimPreview }).preview;
}

/** Repeating one's own claim is the same answer with `repeated`. */
export async function claimDevice(
  db: Db,
  { serial, code, org_id }: ClaimRequest,
): Promise<{ repeated: boolean; claimed: Claimed }> {
  const [row] = await db<{ result: { place: Claimed['place']; repeated: boolean } }[]>`
    select ec.claim_device(${serial}, ${await sha256(code)}, ${org_id ?? null}) as result`;
  const { place, repeated } = (row as { result: { place: Claimed['place']; repeated: boolean } }).result;
  const home = `/${place === 'org' ? 'org' : 'portal'}/devices/${serial}`;
  return { repeated, claimed: { device: await getDevice(db, serial), place, home } };
}

/** A new code; an unused one before it ends. */
export async function reissueClaimCode(db: Db, env: Env, serial: string): Promise<ClaimCodeIssued> {
  const code = makeClaimCode();
  const [row] = await db<{ issued: { expires_at: string | null } }[]>`
    select ec.reissue_claim_code(${serial}, ${await sha256(code)}) as issued`;
  const { expires_at } = isoTimes((row as { issued: { expires_at: string | null } }).issued);
  return { code, claim_url: claimUrl(env, serial, code), expires_at };
}

/** For a repeated Idempotency-Key. */
export function withoutClaimCode({ code: _, claim_url: __, ...rest }: ClaimCodeIssued): ClaimCodeIssued {
  return rest as ClaimCodeIssued;
}

export async function readClaimCode(db: Db, serial: string): Promise<ClaimCodeStatus> {
  const [row] = await db<{ status: ClaimCodeStatus }[]>`select ec.read_claim_code(${serial}) as status`;
  return isoTimes((row as { status: ClaimCodeStatus }).status);
}

/** The device as it stands now; null when it is out of the caller's sight with that. */
export async function unclaimDevice(db: Db, serial: string): Promise<Device | null> {
  const [row] = await db<{ result: { visible: boolean } }[]>`select ec.unclaim_device(${serial}) as result`;
  return (row as { result: { visible: boolean } }).result.visible ? getDevice(db, serial) : null;
}

/** Newest first. */
export async function listTenures(db: Db, serial: string): Promise<Tenure[]> {
  const [row] = await db<{ history: Tenure[] }[]>`select ec.device_history(${serial}) as history`;
  return isoTimes((row as { history: Tenure[] | null }).history ?? []);
}
