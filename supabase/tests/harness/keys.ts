import { randomBytes } from 'node:crypto';
import type { Database } from './database.ts';
import { sha256 } from './secrets.ts';

/** As it ships in firmware: registers serials its org knows. */
export async function makeProvisioningKey(
  db: Database,
  orgId: string,
  productType = 'EC-CLIMATE-V1',
): Promise<{ provisioningKey: string }> {
  const provisioningKey = await db.value<string>(
    `insert into public.provisioning_keys (org_id, product_type, name, prefix, key_sha256)
     values ($1, $2, 'line', 'ec_prov_test', $3) returning id`,
    [orgId, productType, sha256(randomBytes(16).toString('hex'))],
  );
  return { provisioningKey };
}
