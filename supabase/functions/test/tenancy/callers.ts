/** Everybody who may stand at the door, with a token each. */
import type { TestApi } from '../api.ts';

export const CALLERS = [
  ...(['admin', 'partner', 'org_admin', 'operator', 'viewer', 'customer', 'tenant', 'outsider'] as const),
  ...(['key_read', 'key_write', 'key_ota', 'key_provision', 'key_all'] as const),
  ...(['provisioning_key', 'device', 'anonymous'] as const),
] as const;
export type Caller = (typeof CALLERS)[number];
export type Tokens = Record<Caller, string | undefined>;

export async function tokensOf(api: TestApi): Promise<Tokens> {
  const { world } = api;
  const admin = await api.tokenOf(world.admin);
  const post = async (path: string, body: unknown): Promise<Record<string, string>> =>
    (await api.call('POST', path, { as: admin, body })).body;
  const line = await post(`/orgs/${world.org.id}/provisioning-keys`, { name: 'k', product_type: 'tracker' });
  const rotated = await post(`/devices/${world.org.device.serial}/credentials/rotate`, {});
  return {
    admin,
    partner: await api.tokenOf(world.partnerUser),
    org_admin: await api.tokenOf(world.orgAdmin),
    operator: await api.tokenOf(world.operator),
    viewer: await api.tokenOf(world.viewer),
    customer: await api.tokenOf(world.customer),
    tenant: await api.tokenOf(world.tenant),
    outsider: await api.tokenOf(world.outsider),
    key_read: await api.apiKey(['read']),
    key_write: await api.apiKey(['write']),
    key_ota: await api.apiKey(['ota']),
    key_provision: await api.apiKey(['provision']),
    key_all: await api.apiKey(['read', 'write', 'ota', 'provision']),
    provisioning_key: line['key'],
    device: rotated['mqtt_password'],
    anonymous: undefined,
  };
}
