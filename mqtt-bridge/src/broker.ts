import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect, type IClientPublishOptions, type MqttClient } from 'mqtt';
import { errorText, type Log } from './log.ts';

export interface PublisherOptions {
  url: string;
  /** File with the authority's certificate, PEM. */
  caFile?: string;
  user: string;
  password: string;
  log: Log;
  /** Connected, for the first time or again. */
  onUp(): void;
  onDown(): void;
}

export interface Outgoing {
  topic: string;
  payload: string;
  qos: 0 | 1;
  retain: boolean;
  /** After so long the broker may forget it. */
  expiresInMs?: number | null;
}

/** Shorter than an outbox lease: what has no answer by then is given back before somebody else may take it. */
const ANSWER_MS = 20_000;

/** Publishes with QoS 1. Nothing survives a connection: what was not acknowledged is the outbox's to repeat. */
export class Publisher {
  readonly #o: PublisherOptions;
  #client: MqttClient | undefined;
  #version: 4 | 5 = 5;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#o = options;
  }

  get isUp(): boolean {
    return this.#client?.connected === true;
  }

  open(): void {
    if (this.#client || this.#stopped) return;
    const { url, caFile, user, password, log } = this.#o;
    const client = connect(url, {
      ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
      username: user,
      clientId: user,
      password,
      protocolVersion: this.#version,
      clean: true,
      keepalive: 30,
      connectTimeout: 10_000,
      reconnectPeriod: 0,
      resubscribe: false,
    });
    this.#client = client;
    let reason: unknown = new Error('connection closed by the broker');
    client.on('connect', () => {
      (client.stream as Socket).setNoDelay(true); // 40 ms per command without
      this.#failures = 0;
      this.#o.onUp();
    });
    client.on('error', (error) => {
      reason = error;
      // 1 is how a broker of MQTT 3.1.1 refuses a 5, 132 how one of 5 would.
      const code = (error as { code?: unknown }).code;
      if (this.#version === 5 && (code === 1 || code === 132)) {
        this.#version = 4;
        this.#failures = -1; // the next attempt is not a retry
      }
      client.end(true);
    });
    client.on('close', () => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.#o.onDown();
      client.end(true);
      if (this.#stopped) return;
      const delay =
        this.#failures < 0 ? 0 : Math.min(100 * 2 ** this.#failures, 5_000) * (0.5 + Math.random() / 2);
      this.#failures++;
      if (delay > 0)
        log('warn', 'relay not connected to the broker', {
          error: errorText(reason),
          retry_ms: Math.round(delay),
        });
      this.#retry = setTimeout(() => this.open(), delay);
    });
  }

  /** Resolves at the PUBACK. @throws when the connection breaks first, or nothing is heard for 20 s */
  publish({ topic, payload, qos, retain, expiresInMs }: Outgoing): Promise<void> {
    const client = this.#client;
    if (!client?.connected) return Promise.reject(new Error('not connected to the broker'));
    const options: IClientPublishOptions = { qos, retain };
    // Where the broker understands it, it forgets the message for an absent device when its time is over.
    if (this.#version === 5 && expiresInMs != null)
      options.properties = { messageExpiryInterval: Math.max(1, Math.ceil(expiresInMs / 1000)) };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error('no PUBACK'));
        client.end(true);
      }, ANSWER_MS);
      const gone = (): void => settle(new Error('connection lost before the PUBACK'));
      const settle = (error?: Error | null): void => {
        clearTimeout(timer);
        client.off('close', gone);
        if (error) reject(error);
        else resolve();
      };
      client.on('close', gone);
      client.publish(topic, payload, options, (error) => settle(error));
    });
  }

  /** The retained message of a topic; null when the broker sends none within `waitMs`. */
  async read(topic: string, waitMs: number): Promise<string | null> {
    const client = this.#client;
    if (!client?.connected) throw new Error('not connected to the broker');
    const retained = new Promise<string | null>((resolve, reject) => {
      const timer = setTimeout(() => settle(null), waitMs);
      const onMessage = (from: string, payload: Buffer, { retain }: { retain: boolean }): void => {
        if (from === topic && retain) settle(payload.toString());
      };
      const onClose = (): void => settle(undefined);
      const settle = (found: string | null | undefined): void => {
        clearTimeout(timer);
        client.off('message', onMessage);
        client.off('close', onClose);
        if (found === undefined) reject(new Error('connection lost while reading'));
        else resolve(found);
      };
      client.on('message', onMessage);
      client.on('close', onClose);
    });
    const [found] = await Promise.all([retained, client.subscribeAsync(topic, { qos: 1 })]);
    await client.unsubscribeAsync(topic);
    return found;
  }

  /** Disconnects until `open`. */
  async pause(): Promise<void> {
    clearTimeout(this.#retry);
    const client = this.#client;
    this.#client = undefined;
    if (client) await client.endAsync(!client.connected);
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await this.pause();
  }
}
