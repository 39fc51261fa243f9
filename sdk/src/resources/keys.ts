import type {
  ApiKey,
  ApiKeyCreateInput,
  ApiKeyCreated,
  ProvisioningKey,
  ProvisioningKeyCreateInput,
  ProvisioningKeyCreated,
} from '../contract/api-key.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export class ApiKeys {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `key` is in this reply alone. Without scopes it gets all that you may give. */
  async generate(
    orgId: string,
    name: string,
    options?: RequestOptions & Omit<ApiKeyCreateInput, 'name'>,
  ): Promise<ApiKeyCreated> {
    const { scopes, expires_at, ...request } = options ?? {};
    const body = { name, ...(scopes && { scopes }), ...(expires_at !== undefined && { expires_at }) };
    const input = { method: 'POST', path: path`/orgs/${orgId}/api-keys`, body, options: request } as const;
    return (await this.#transport.request<ApiKeyCreated>(input)).data;
  }

  async list(orgId: string, options?: RequestOptions): Promise<ApiKey[]> {
    const input = { method: 'GET', path: path`/orgs/${orgId}/api-keys`, options } as const;
    return (await this.#transport.request<ApiKey[]>(input)).data;
  }

  async revoke(id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.request({ method: 'DELETE', path: path`/api-keys/${id}`, options });
  }
}

/** Keys that ship in firmware and can only register devices. */
export class ProvisioningKeys {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `key` is in this reply alone. */
  async create(
    orgId: string,
    key: ProvisioningKeyCreateInput,
    options?: RequestOptions,
  ): Promise<ProvisioningKeyCreated> {
    const input = {
      method: 'POST',
      path: path`/orgs/${orgId}/provisioning-keys`,
      body: key,
      options,
    } as const;
    return (await this.#transport.request<ProvisioningKeyCreated>(input)).data;
  }

  async list(orgId: string, options?: RequestOptions): Promise<ProvisioningKey[]> {
    const input = { method: 'GET', path: path`/orgs/${orgId}/provisioning-keys`, options } as const;
    return (await this.#transport.request<ProvisioningKey[]>(input)).data;
  }

  async revoke(id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.request({ method: 'DELETE', path: path`/provisioning-keys/${id}`, options });
  }
}
