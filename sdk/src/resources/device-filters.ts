import type { SavedFilter, SavedFilterCreate } from '../contract/device-filter.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

/** Filters of the device list that an organisation keeps under a name. */
export class DeviceFilters {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** By name. */
  async list(orgId: string, options?: RequestOptions): Promise<SavedFilter[]> {
    const input = { method: 'GET', path: path`/orgs/${orgId}/device-filters`, options } as const;
    return (await this.#transport.request<SavedFilter[]>(input)).data;
  }

  /** @throws ConflictError when the name is taken */
  async create(orgId: string, filter: SavedFilterCreate, options?: RequestOptions): Promise<SavedFilter> {
    const at = path`/orgs/${orgId}/device-filters`;
    const input = { method: 'POST', path: at, body: filter, options } as const;
    return (await this.#transport.request<SavedFilter>(input)).data;
  }

  async delete(id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.request({ method: 'DELETE', path: path`/device-filters/${id}`, options });
  }
}
