import type { Session } from './database.ts';
import { makeSecret, type DeviceSecret } from './secrets.ts';

export interface Registered {
  device: {
    id: string;
    serial: string;
    product_type: string;
    fw_version: string | null;
    lifecycle: string;
    org_id: string;
  };
  created: boolean;
  issued: boolean;
  claim_issued: boolean;
}

export interface Registration {
  productType?: string;
  firmware?: string | null;
  orgId?: string;
  secret?: DeviceSecret;
}

export function register(session: Session, serial: string, options: Registration = {}): Promise<Registered> {
  const { sha256, passwordHash, salt, claim } = options.secret ?? makeSecret();
  return session.value('select ec.register_device($1, $2, $3, $4, $5, $6, $7, $8)', [
    serial,
    options.productType ?? 'EC-CLIMATE-V1',
    options.firmware ?? null,
    sha256,
    passwordHash,
    salt,
    claim,
    options.orgId ?? null,
  ]);
}
