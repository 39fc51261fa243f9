/** API keys and provisioning keys. The key is made here, shown once, and stored as a hash. */
import type {
  ApiKey,
  ApiKeyCreate,
  ApiKeyCreated,
  ProvisioningKey,
  ProvisioningKeyCreate,
  ProvisioningKeyCreated,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { makeSecret, sha256 } from '../../_shared/secrets.ts';
import { missing } from './devices.ts';
import { requireOrg } from './rights.ts';

type Fragment = ReturnType<Db>;

/** Enough to recognise a key by, far too little to guess it. */
const PREFIX_LENGTH = 13;

const selectApiKeys = (db: Db): Fragment => db`
  select k.id, k.org_id, k.name, k.prefix, to_jsonb(k.scopes) as scopes, k.created_by, k.created_at, k.expires_at,
    k.last_used_at, k.revoked_at from public.api_keys k`;

const selectProvisioningKeys = (db: Db): Fragment => db`
  select k.id, k.org_id, k.product_type, k.name, k.mode, k.serial_prefix, k.max_count, k.used_count, k.prefix,
    k.created_at, k.expires_at, k.revoked_at, k.last_used_at from public.provisioning_keys k`;

export async function listApiKeys(db: Db, orgId: string): Promise<ApiKey[]> {
  await requireOrg(db, orgId, 'invite');
  return db<ApiKey[]>`${selectApiKeys(db)} where k.org_id = ${orgId} order by k.created_at desc, k.id`;
}

export async function createApiKey(db: Db, orgId: string, input: ApiKeyCreate): Promise<ApiKeyCreated> {
  const key = makeSecret('api_key');
  // Who may change a thing gets it back, so write includes read.
  const scopes = input.scopes?.includes('write') ? [...new Set(['read', ...input.scopes])] : input.scopes;
  const [row] = await db<{ id: string }[]>`
    select ec.create_api_key(${orgId}, ${input.name}, ${key.slice(0, PREFIX_LENGTH)}, ${await sha256(key)},
      ${scopes ?? null}::text[], ${input.expires_at ?? null}::timestamptz) ->> 'id' as id`;
  const [created] = await db<ApiKey[]>`${selectApiKeys(db)} where k.id = ${(row as { id: string }).id}`;
  if (created === undefined) throw missing();
  return { ...created, key };
}

export async function revokeApiKey(db: Db, id: string): Promise<void> {
  await db`select ec.revoke_api_key(${id})`;
}

export async function listProvisioningKeys(db: Db, orgId: string): Promise<ProvisioningKey[]> {
  await requireOrg(db, orgId, 'invite');
  return db<ProvisioningKey[]>`
    ${selectProvisioningKeys(db)} where k.org_id = ${orgId} order by k.created_at desc, k.id`;
}

export async function createProvisioningKey(
  db: Db,
  orgId: string,
  input: ProvisioningKeyCreate,
): Promise<ProvisioningKeyCreated> {
  const key = makeSecret('provisioning_key');
  const [row] = await db<{ id: string }[]>`
    select ec.create_provisioning_key(${orgId}, ${JSON.stringify(input)}::text::jsonb,
      ${key.slice(0, PREFIX_LENGTH)}, ${await sha256(key)}) ->> 'id' as id`;
  const [created] = await db<ProvisioningKey[]>`
    ${selectProvisioningKeys(db)} where k.id = ${(row as { id: string }).id}`;
  if (created === undefined) throw missing();
  return { ...created, key };
}

export async function revokeProvisioningKey(db: Db, id: string): Promise<void> {
  await db`select ec.revoke_provisioning_key(${id})`;
}

/** For a repeated Idempotency-Key. */
export function withoutKey<T extends { key: string }>({ key: _, ...rest }: T): T {
  return rest as T;
}
