import type { SigningKey } from '../contract/firmware.ts';
import type { Location, LocationCreate, LocationPatch, Room, RoomCreate } from '../contract/location.ts';
import type { Org, OrgCreateInput, OrgPatch } from '../contract/org.ts';
import type { OrgOverview } from '../contract/overview.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export class Orgs {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `q`: part of the name or slug. */
  list(
    filter: { q?: string | undefined; limit?: number; after?: string } = {},
    options?: RequestOptions,
  ): List<Org> {
    return list(this.#transport, '/orgs', filter, options);
  }

  async get(id: string, options?: RequestOptions): Promise<Org> {
    return (await this.#transport.request<Org>({ method: 'GET', path: path`/orgs/${id}`, options })).data;
  }

  /** For partners and administrators. */
  async create(org: OrgCreateInput, options?: RequestOptions): Promise<Org> {
    return (await this.#transport.request<Org>({ method: 'POST', path: '/orgs', body: org, options })).data;
  }

  async update(id: string, patch: OrgPatch, options?: RequestOptions): Promise<Org> {
    return (
      await this.#transport.request<Org>({ method: 'PATCH', path: path`/orgs/${id}`, body: patch, options })
    ).data;
  }

  /** Counts, exceptions, rooms and recent activity: what the home of a fleet shows. */
  async overview(id: string, options?: RequestOptions): Promise<OrgOverview> {
    const input = { method: 'GET', path: path`/orgs/${id}/overview`, options } as const;
    return (await this.#transport.request<OrgOverview>(input)).data;
  }

  async rooms(id: string, options?: RequestOptions): Promise<Room[]> {
    return (await this.#transport.request<Room[]>({ method: 'GET', path: path`/orgs/${id}/rooms`, options }))
      .data;
  }

  /** What its devices check firmware with, a key for each product type it makes. */
  async signingKeys(id: string, options?: RequestOptions): Promise<SigningKey[]> {
    const input = { method: 'GET', path: path`/orgs/${id}/signing-keys`, options } as const;
    return (await this.#transport.request<SigningKey[]>(input)).data;
  }

  /** Floor and building are found by name, or created. */
  async createRoom(id: string, room: RoomCreate, options?: RequestOptions): Promise<Room> {
    const input = { method: 'POST', path: path`/orgs/${id}/rooms`, body: room, options } as const;
    return (await this.#transport.request<Room>(input)).data;
  }
}

/** The tree site → building → floor → room. */
export class Locations {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The whole tree, parents before children. */
  async list(orgId: string, options?: RequestOptions): Promise<Location[]> {
    const input = { method: 'GET', path: path`/orgs/${orgId}/locations`, options } as const;
    return (await this.#transport.request<Location[]>(input)).data;
  }

  async create(orgId: string, location: LocationCreate, options?: RequestOptions): Promise<Location> {
    const input = { method: 'POST', path: path`/orgs/${orgId}/locations`, body: location, options } as const;
    return (await this.#transport.request<Location>(input)).data;
  }

  async update(id: string, patch: LocationPatch, options?: RequestOptions): Promise<Location> {
    const input = { method: 'PATCH', path: path`/locations/${id}`, body: patch, options } as const;
    return (await this.#transport.request<Location>(input)).data;
  }

  /** @throws ConflictError while something is in it */
  async delete(id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.request({ method: 'DELETE', path: path`/locations/${id}`, options });
  }
}
