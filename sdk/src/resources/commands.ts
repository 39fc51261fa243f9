import type { Command, CommandCreateInput, CommandState } from '../contract/command.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export interface CommandFilter {
  state?: CommandState | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

/** What a device should do once: it acts at most once for each id, and never after `expires_at`. */
export class Commands {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * A device that is there gets it at once, another one when it is back within `expires_s` (an hour by default).
   * @example
   * const { id } = await ec.commands.send('EC-CLM-001', { type: 'open_valve', payload: { seconds: 30 } });
   */
  async send(serial: string, command: CommandCreateInput, options?: RequestOptions): Promise<Command> {
    const input = {
      method: 'POST',
      path: path`/devices/${serial}/commands`,
      body: command,
      options,
    } as const;
    return (await this.#transport.request<Command>(input)).data;
  }

  /** Newest first. */
  list(serial: string, filter: CommandFilter = {}, options?: RequestOptions): List<Command> {
    return list(this.#transport, path`/devices/${serial}/commands`, { ...filter }, options);
  }

  /** What became of it; `result` is the device's reply. */
  async get(serial: string, id: string, options?: RequestOptions): Promise<Command> {
    const input = { method: 'GET', path: path`/devices/${serial}/commands/${id}`, options } as const;
    return (await this.#transport.request<Command>(input)).data;
  }

  /** Takes it back. @throws ConflictError when it was sent already */
  async cancel(serial: string, id: string, options?: RequestOptions): Promise<void> {
    const input = { method: 'DELETE', path: path`/devices/${serial}/commands/${id}`, options } as const;
    await this.#transport.request(input);
  }
}
