import type { LiveLeases, LiveToken } from '../contract/live.ts';
import type { RequestOptions, Transport } from '../request.ts';

/** Live topics: `org:<id>` or `device:<serial>`. Join the channel named by `topic` of a lease, privately. */
export class Live {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Starts or renews the broadcast for 20 seconds; repeat every `renew_s`. What you may not watch is left out. */
  async lease(topics: string[], options?: RequestOptions): Promise<LiveLeases> {
    const input = { method: 'POST', path: '/live/leases', body: { topics }, options } as const;
    return (await this.#transport.request<LiveLeases>(input)).data;
  }

  /** A token of at most ten minutes for Realtime, for credentials that are no access token. */
  async token(topics: string[], options?: RequestOptions): Promise<LiveToken> {
    const input = { method: 'POST', path: '/live/token', body: { topics }, options } as const;
    return (await this.#transport.request<LiveToken>(input)).data;
  }
}
