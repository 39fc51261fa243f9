import type { DeviceCredential, RotateReply } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import type { Env } from '../../_shared/env.ts';
import { hashSecret, makeSecret } from '../../_shared/secrets.ts';
import { missing } from './devices.ts';
import { deviceSecrets } from './device-secrets.ts';
import { publicKeyOf } from './signing-keys.ts';

/** Newest first, the ended ones too. */
export async function listCredentials(db: Db, serial: string): Promise<DeviceCredential[]> {
  const device = await findDevice(db, serial);
  return db<DeviceCredential[]>`
    select c.id, c.serial, c.issued_by_kind, c.issued_by_id, coalesce(u.email, k.name, v.name) as issued_by_label,
      c.created_at, c.first_used_at, c.last_used_at, c.expires_at, c.revoked_at
    from public.device_credentials c
    left join public.profiles u on u.id = c.issued_by_id and c.issued_by_kind = 'user'
    left join public.api_keys k on k.id = c.issued_by_id and c.issued_by_kind = 'api_key'
    left join public.provisioning_keys v on v.id = c.issued_by_id and c.issued_by_kind = 'provisioning_key'
    where c.device_id = ${device.id} order by c.created_at desc, c.id`;
}

export async function rotateCredential(
  db: Db,
  env: Env,
  serial: string,
  overlapS: number,
): Promise<RotateReply> {
  const device = await findDevice(db, serial);
  const secret = makeSecret('device');
  const hashes = await hashSecret(secret);
  const [row] = await db<{ result: Pick<RotateReply, 'id' | 'old_expires_at'> }[]>`
    select ec.rotate_credential(${device.id}, ${hashes.secret_sha256}, ${hashes.password_hash}, ${hashes.salt},
      ${overlapS}) as result`;
  const ota_public_key = await publicKeyOf(db, device);
  const { result } = row as { result: Pick<RotateReply, 'id' | 'old_expires_at'> };
  const old_expires_at = result.old_expires_at && new Date(result.old_expires_at).toISOString();
  return { id: result.id, old_expires_at, ...deviceSecrets(env, { ...device, ota_public_key }, secret) };
}

export function withoutRotatedSecret(reply: RotateReply): RotateReply {
  const { mqtt_password: _, ...rest } = reply;
  return rest as RotateReply;
}

/** The id must be one of this device's. */
export async function revokeCredential(db: Db, serial: string, id: string): Promise<void> {
  const [row] = await db`select from public.device_credentials c where c.id = ${id} and c.serial = ${serial}`;
  if (row === undefined) throw missing();
  await db`select ec.revoke_credential(${id})`;
}

interface Found {
  id: string;
  serial: string;
  product_type: string;
  maker_org_id: string;
  telemetry_interval_s: number;
}

async function findDevice(db: Db, serial: string): Promise<Found> {
  const [device] = await db<Found[]>`
    select d.id, d.serial, d.product_type, d.maker_org_id, p.telemetry_interval_s
    from public.devices d join public.product_types p on p.key = d.product_type where d.serial = ${serial}`;
  if (device === undefined) throw missing();
  return device;
}
