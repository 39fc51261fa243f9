import { readCommand, type CommandReply } from '../commands.ts';
import { Backoff } from '../backoff.ts';
import { readOrder, type UpdateReport } from '../updates/order.ts';
import type { Delivery, Door, DoorEvents } from './door.ts';

export interface HttpsAccess {
  /** `https_url` of the register reply: the base the device routes hang under. */
  url: string;
  serial: string;
  /** The device secret, `ec_dev_…`. */
  secret: string;
  /** How often it asks for commands and the desired document, after a packet; 15 s when absent. */
  pollS?: number;
  fetch?: typeof fetch;
}

/** The door of GSM devices: one POST per packet or batch. There is no session; "open" means not backing off. */
export class HttpsDoor implements Door {
  readonly #access: HttpsAccess;
  readonly #events: DoorEvents;
  readonly #backoff = new Backoff(1_000);
  #wanted = false;
  #closedUntil = 0;
  #pollAt = 0;
  #abort = new AbortController();

  constructor(access: HttpsAccess, events: DoorEvents) {
    this.#access = access;
    this.#events = events;
  }

  get open(): boolean {
    return this.#wanted && Date.now() >= this.#closedUntil;
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#abort = new AbortController();
    this.#events.opened();
  }

  async send(body: string): Promise<Delivery> {
    const { status } = await this.#ask('POST', 'telemetry', body);
    if (status === 205 || Date.now() < this.#pollAt) return { restart: status === 205 };
    // What was sent is delivered, whether or not there is an answer to this.
    return this.#poll().catch(() => ({ restart: false }));
  }

  async #poll(): Promise<Delivery> {
    this.#pollAt = Date.now() + (this.#access.pollS ?? 15) * 1_000;
    const { status, text } = await this.#ask('GET', 'commands');
    if (status === 205 || text === '') return { restart: status === 205 };
    const answer = JSON.parse(text) as Record<string, unknown>;
    const { desired, desired_version, commands } = answer;
    if (typeof desired === 'object' && desired !== null && typeof desired_version === 'number')
      this.#events.desired(desired as Record<string, unknown>, desired_version);
    for (const item of Array.isArray(commands) ? (commands as unknown[]) : []) {
      const command = readCommand(item);
      if (command) this.#events.command(command);
    }
    const order = readOrder(answer);
    if (order) this.#events.update(order);
    return { restart: false };
  }

  async acknowledge(id: string, reply: CommandReply): Promise<void> {
    await this.#ask('POST', `commands/${encodeURIComponent(id)}/ack`, JSON.stringify(reply));
  }

  async reportUpdate(report: UpdateReport): Promise<void> {
    try {
      await this.#ask('POST', 'ota/status', JSON.stringify(report));
    } catch (error) {
      // The update ended, or was never this device's: nobody wants to hear of it.
      if (!(error instanceof Refusal) || ![400, 404, 409, 422].includes(error.status)) throw error;
    }
  }

  /** With the next packet. */
  ask(): void {
    this.#pollAt = 0;
  }

  async report(reported: Record<string, unknown>): Promise<void> {
    await this.#ask('POST', 'shadow/reported', JSON.stringify(reported));
  }

  cut(): void {
    this.#pollAt = 0;
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  pause(): void {
    this.#wanted = false;
    this.#abort.abort();
    this.#events.closed();
  }

  stop(): Promise<void> {
    this.#wanted = false;
    this.#abort.abort();
    return Promise.resolve();
  }

  async #ask(method: string, kind: string, body?: string): Promise<{ status: number; text: string }> {
    const { url, serial, secret } = this.#access;
    try {
      const response = await (this.#access.fetch ?? fetch)(`${url}/devices/${serial}/${kind}`, {
        method,
        headers: {
          authorization: `Bearer ${secret}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(15_000)]),
      });
      // The body is read to the end so that the connection can be used again.
      const text = await response.text();
      if (response.status === 401 || response.status === 403) this.#events.refused(`HTTP ${response.status}`);
      if (!response.ok) throw new Refusal(response.status);
      this.#backoff.reset();
      return { status: response.status, text };
    } catch (error) {
      this.#closedUntil = Date.now() + this.#backoff.next();
      throw error;
    }
  }
}

class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}
