import type { Me } from '../contract/member.ts';
import type { RoomClimate } from '../contract/overview.ts';
import type { ProductType } from '../contract/product-type.ts';
import type { TelemetryBuckets } from '../contract/telemetry.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

/** Product types with their metrics: labels, units, decimals, ranges. */
export class ProductTypes {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async list(options?: RequestOptions): Promise<ProductType[]> {
    return (await this.#transport.request<ProductType[]>({ method: 'GET', path: '/product-types', options }))
      .data;
  }
}

/** Rooms as their tenants see them. */
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
}

export async function whoAmI(transport: Transport, options?: RequestOptions): Promise<Me> {
  return (await transport.request<Me>({ method: 'GET', path: '/me', options })).data;
}
