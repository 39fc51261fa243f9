import { Backoff } from '../backoff.ts';
import type { Delivery, Door, DoorEvents } from './door.ts';

export interface HttpsAccess {
  /** `https_url` of the register reply: the base the device routes hang under. */
  url: string;
  serial: string;
  /** The device secret, `ec_dev_…`. */
  secret: string;
  fetch?: typeof fetch;
}

/** The door of GSM devices: one POST per packet or batch. There is no session; "open" means not backing off. */
export class HttpsDoor implements Door {
  readonly #access: HttpsAccess;
  readonly #events: DoorEvents;
  readonly #backoff = new Backoff(1_000);
  #wanted = false;
  #closedUntil = 0;
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
    const response = await this.#post('telemetry', body);
    return { restart: response.status === 205 };
  }

  async report(reported: Record<string, unknown>): Promise<void> {
    await this.#post('shadow/reported', JSON.stringify(reported));
  }

  cut(): void {
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

  async #post(kind: string, body: string): Promise<Response> {
    const { url, serial, secret } = this.#access;
    try {
      const response = await (this.#access.fetch ?? fetch)(`${url}/devices/${serial}/${kind}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body,
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(15_000)]),
      });
      // The body is read to the end so that the connection can be used again.
      await response.arrayBuffer();
      if (response.status === 401 || response.status === 403) this.#events.refused(`HTTP ${response.status}`);
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      this.#backoff.reset();
      return response;
    } catch (error) {
      this.#closedUntil = Date.now() + this.#backoff.next();
      throw error;
    }
  }
}
