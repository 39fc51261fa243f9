import type { DeviceCredential, RotateReply } from '../contract/credential.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

/** Secrets of devices. */
export class Credentials {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first, the ended ones too; never the secrets themselves. */
  async list(serial: string, options?: RequestOptions): Promise<DeviceCredential[]> {
    const input = { method: 'GET', path: path`/devices/${serial}/credentials`, options } as const;
    return (await this.#transport.request<DeviceCredential[]>(input)).data;
  }

  /** A new secret, in this reply alone; the old one works on for `overlapS` seconds (an hour by default). */
  async rotate(serial: string, options?: RequestOptions & { overlapS?: number }): Promise<RotateReply> {
    const body = options?.overlapS === undefined ? {} : { overlap_s: options.overlapS };
    const input = {
      method: 'POST',
      path: path`/devices/${serial}/credentials/rotate`,
      body,
      options,
    } as const;
    return (await this.#transport.request<RotateReply>(input)).data;
  }

  /** At once: a live session of this secret is dropped. */
  async revoke(serial: string, id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.request({
      method: 'DELETE',
      path: path`/devices/${serial}/credentials/${id}`,
      options,
    });
  }
}
