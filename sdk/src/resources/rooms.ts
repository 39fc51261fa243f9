import type { RoomClimate } from '../contract/overview.ts';
import type {
  RoomClaimed,
  RoomClaimPreview,
  RoomClaimRequest,
  RoomCode,
  RoomCodeRotateInput,
  RoomSheet,
  RoomTenant,
} from '../contract/room-claim.ts';
import type { TelemetryBuckets } from '../contract/telemetry.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

/** Rooms as their tenants see them, and the codes that make somebody a tenant. */
export class Rooms {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async get(id: string, options?: RequestOptions): Promise<RoomClimate> {
    return (await this.#transport.request<RoomClimate>({ method: 'GET', path: path`/rooms/${id}`, options }))
      .data;
  }

  /** Temperature, humidity and CO₂ of the room over time. */
  async climate(
    id: string,
    options: RequestOptions & { hours?: 1 | 6 | 24 | 168 } = {},
  ): Promise<TelemetryBuckets> {
    const input = {
      method: 'GET',
      path: path`/rooms/${id}/climate`,
      query: { hours: options.hours },
      options,
    } as const;
    return (await this.#transport.request<TelemetryBuckets>(input)).data;
  }

  /** Who lives there; ending the membership `id` moves somebody out. */
  async tenants(id: string, options?: RequestOptions): Promise<RoomTenant[]> {
    const input = { method: 'GET', path: path`/rooms/${id}/tenants`, options } as const;
    return (await this.#transport.request<RoomTenant[]>(input)).data;
  }

  /** The code of the QR; null in it when there is none. */
  async code(id: string, options?: RequestOptions): Promise<RoomCode> {
    const input = { method: 'GET', path: path`/rooms/${id}/code`, options } as const;
    return (await this.#transport.request<RoomCode>(input)).data;
  }

  /** A new code; the one before ends at once, and with `end_tenants` everybody's access as well. */
  async rotateCode(
    id: string,
    change: RoomCodeRotateInput = {},
    options?: RequestOptions,
  ): Promise<RoomCode> {
    const input = { method: 'POST', path: path`/rooms/${id}/code`, body: change, options } as const;
    return (await this.#transport.request<RoomCode>(input)).data;
  }

  async revokeCode(id: string, options?: RequestOptions & { endTenants?: boolean }): Promise<void> {
    const query = { end_tenants: options?.endTenants ? true : undefined };
    await this.#transport.request({ method: 'DELETE', path: path`/rooms/${id}/code`, query, options });
  }

  /** For printing: up to 200 rooms of an organisation, in the order asked. */
  async sheets(orgId: string, roomIds: string[], options?: RequestOptions): Promise<RoomSheet[]> {
    const body = { room_ids: roomIds };
    const input = { method: 'POST', path: path`/orgs/${orgId}/room-codes`, body, options } as const;
    return (await this.#transport.request<RoomSheet[]>(input)).data;
  }
}

/** Claiming a room by the code on its sheet. */
export class RoomClaims {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whose room a code opens; needs no credential. @throws NotFoundError · ConflictError expired · RateLimitError */
  async preview(claim: RoomClaimRequest, options?: RequestOptions): Promise<RoomClaimPreview> {
    const input = { method: 'POST', path: '/room-claims/preview', body: claim, options } as const;
    return (await this.#transport.request<RoomClaimPreview>(input)).data;
  }

  /** Makes the caller a tenant of the room. Safe to repeat. */
  async claim(claim: RoomClaimRequest, options?: RequestOptions): Promise<RoomClaimed> {
    const input = { method: 'POST', path: '/room-claims', body: claim, options } as const;
    return (await this.#transport.request<RoomClaimed>(input)).data;
  }
}
