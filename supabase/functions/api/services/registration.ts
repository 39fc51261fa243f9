/** Registering devices. The secret is made here and stored as hashes there; SQL says whether it was stored, and
 *  only then it is shown. */
import { isErrorCode, RegisterRequest } from '@edgeconductor/sdk/contract';
import type {
  BulkRegisterItem,
  BulkRegisterReply,
  RegisteredDevice,
  RegisterReply,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import type { Env } from '../../_shared/env.ts';
import { AppError } from '../../_shared/errors.ts';
import { hashSecret, makeClaimCode, makeSecret, sha256, toHex } from '../../_shared/secrets.ts';
import { statusOf } from './device-rows.ts';
import { claimUrl, deviceSecrets } from './device-secrets.ts';
import { publicKeyOf } from './signing-keys.ts';
import { validate } from '../../_shared/validate.ts';

/** What ec.register_device gives. */
interface Registered {
  device: Omit<RegisteredDevice, 'serial_no' | 'status'> & {
    serial: string;
    claimed_at: string | null;
    telemetry_interval_s: number;
    maker_org_id: string;
    ota_public_key: string | null;
  };
  created: boolean;
  issued: boolean;
  claim_issued: boolean;
}

interface Prepared {
  request: RegisterRequest;
  secret: string;
  claimCode: string;
  item: RegisterItem;
}

/** As ec.register_devices takes it, hashes in hex. */
interface RegisterItem {
  serial: string;
  product_type: string;
  fw_version: string | null;
  secret_sha256: string;
  password_hash: string;
  salt: string;
  claim_sha256: string;
}

export interface Registration {
  created: boolean;
  reply: RegisterReply;
}

export async function registerDevice(
  db: Db,
  env: Env,
  request: RegisterRequest,
  orgId: string | null,
): Promise<Registration> {
  const prepared = await prepare(request);
  const { item } = prepared;
  const [row] = await db<{ result: Registered }[]>`
    select ec.register_device(${item.serial}, ${item.product_type}, ${item.fw_version},
      decode(${item.secret_sha256}, 'hex'), ${item.password_hash}, ${item.salt},
      decode(${item.claim_sha256}, 'hex'), ${orgId}) as result`;
  const result = (row as { result: Registered }).result;
  await giveKeys(db, [result]);
  const [seen] = await readStatuses(db, [result.device.serial]);
  return { created: result.created, reply: toReply(env, prepared, result, seen?.status) };
}

/** Each item with a result of its own; a bad one loses only itself. */
export async function registerDevices(
  db: Db,
  env: Env,
  rows: unknown[],
  orgId: string | null,
): Promise<BulkRegisterReply> {
  const results: BulkRegisterItem[] = [];
  const prepared: (Prepared & { index: number })[] = [];
  for (const [index, row] of rows.entries()) {
    try {
      prepared.push({ index, ...(await prepare(validate(RegisterRequest, row, 'device'))) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      results[index] = {
        index,
        serial_no: serialOf(row),
        ok: false,
        error: { code: error.code, detail: error.message },
      };
    }
  }
  const stored = prepared.length === 0 ? [] : await storeAll(db, prepared, orgId);
  await giveKeys(
    db,
    stored.filter((result) => result.ok),
  );
  const statuses = new Map(
    (
      await readStatuses(
        db,
        prepared.map((p) => p.request.serial_no),
      )
    ).map((s) => [s.serial, s.status]),
  );
  let created = 0;
  for (const [position, result] of stored.entries()) {
    const item = prepared[position] as Prepared & { index: number };
    const { index } = item;
    const serial_no = item.request.serial_no;
    if (!result.ok) {
      const code = isErrorCode(result.error.code) ? result.error.code : 'unprocessable';
      results[index] = { index, serial_no, ok: false, error: { code, detail: result.error.detail } };
      continue;
    }
    if (result.created) created++;
    const status = statuses.get(serial_no);
    results[index] = { index, serial_no, ok: true, device: toReply(env, item, result, status) };
  }
  const failed = results.filter((item) => !item.ok).length;
  return { results, created, existing: results.length - created - failed, failed };
}

/** For a repeated Idempotency-Key: the same answer without anything secret. */
export function withoutDeviceSecrets({
  mqtt_password: _,
  claim_url: __,
  ...reply
}: RegisterReply): RegisterReply {
  return reply;
}

type StoredItem = ({ ok: true } & Registered) | { ok: false; error: { code: string; detail: string } };

async function storeAll(db: Db, prepared: Prepared[], orgId: string | null): Promise<StoredItem[]> {
  const items = JSON.stringify(prepared.map(({ item }) => item));
  const [row] = await db<{ results: StoredItem[] }[]>`
    select ec.register_devices(${items}::text::json, ${orgId}) as results`;
  return (row as { results: StoredItem[] }).results;
}

/** The first device of a type and maker brings the key that all of them check firmware with. */
async function giveKeys(db: Db, results: Registered[]): Promise<void> {
  const made = new Map<string, string>();
  for (const { device } of results) {
    if (device.ota_public_key !== null) continue;
    const { product_type, maker_org_id } = device;
    const owner = `${product_type} ${maker_org_id}`;
    const key = made.get(owner) ?? (await publicKeyOf(db, { product_type, maker_org_id }));
    made.set(owner, key);
    device.ota_public_key = key;
  }
}

async function prepare(request: RegisterRequest): Promise<Prepared> {
  const secret = makeSecret('device');
  const claimCode = makeClaimCode();
  const hashes = await hashSecret(secret);
  const item: RegisterItem = {
    serial: request.serial_no,
    product_type: request.product_type,
    fw_version: request.fw_version,
    secret_sha256: toHex(hashes.secret_sha256),
    password_hash: hashes.password_hash,
    salt: hashes.salt,
    claim_sha256: toHex(await sha256(claimCode)),
  };
  return { request, secret, claimCode, item };
}

function readStatuses(
  db: Db,
  serials: string[],
): Promise<{ serial: string; status: RegisteredDevice['status'] }[]> {
  return db<{ serial: string; status: RegisteredDevice['status'] }[]>`
    select d.serial, ${statusOf(db)} as status from public.devices d
    left join public.product_types p on p.key = d.product_type
    left join public.device_state s on s.device_num = d.num where d.serial = any (${serials})`;
}

function toReply(
  env: Env,
  prepared: Prepared,
  result: Registered,
  status: RegisteredDevice['status'] | undefined,
): RegisterReply {
  const { device } = result;
  const ota_public_key = device.ota_public_key as string;
  return {
    id: device.id,
    serial_no: device.serial,
    product_type: device.product_type,
    fw_version: device.fw_version,
    // A key that may only register cannot read when the device was last seen.
    status: status ?? (device.lifecycle === 'active' ? 'offline' : 'never_seen'),
    lifecycle: device.lifecycle,
    org_id: device.org_id,
    ota_public_key,
    ...(result.issued ? deviceSecrets(env, { ...device, ota_public_key }, prepared.secret) : {}),
    ...(result.issued
      ? { claim_url: result.claim_issued ? claimUrl(env, device.serial, prepared.claimCode) : null }
      : {}),
  };
}

function serialOf(row: unknown): string | null {
  const { serial_no, serial } = row as Record<string, unknown>;
  const value = serial_no ?? serial;
  return typeof value === 'string' ? value.slice(0, 64) : null;
}
