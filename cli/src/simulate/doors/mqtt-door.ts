import { topicFor, type TopicKind } from '@edgeconductor/sdk/contract';
import { connect, type MqttClient } from 'mqtt';
import { readCommand, type CommandReply } from '../commands.ts';
import { Backoff } from '../backoff.ts';
import { readOrder, type UpdateReport } from '../updates/order.ts';
import type { Delivery, Door, DoorEvents } from './door.ts';

export interface MqttAccess {
  /** mqtts://host:port, or mqtt:// on a loopback test broker. */
  url: string;
  serial: string;
  /** The device secret, `mqtt_password` of the register reply. */
  password: string;
  /** PEM of the authority that signed the broker; the system's own when absent. */
  ca?: string | undefined;
  keepaliveS?: number;
}

const RECEIVED = ['shadow/desired', 'shadow/document', 'cmd', 'ota'] as const;

/**
 * MQTT 3.1.1 over TLS with birth and last will. Every connection is a new client: whatever was in flight when
 * one broke is handed back to the device as a failed send, so there is one place that decides about resending.
 */
export class MqttDoor implements Door {
  readonly #access: MqttAccess;
  readonly #events: DoorEvents;
  readonly #backoff = new Backoff();
  #client: MqttClient | undefined;
  #retry: NodeJS.Timeout | undefined;
  #wanted = false;
  #open = false;
  /** Retained messages may come before the broker confirms the subscription; the device speaks only after it. */
  #early: Array<() => void> = [];

  constructor(access: MqttAccess, events: DoorEvents) {
    this.#access = access;
    this.#events = events;
  }

  get open(): boolean {
    return this.#open;
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#connect();
  }

  async send(body: string): Promise<Delivery> {
    await this.#publish('telemetry', body);
    return { restart: false };
  }

  async report(reported: Record<string, unknown>): Promise<void> {
    await this.#publish('shadow/reported', JSON.stringify(reported));
  }

  async acknowledge(id: string, reply: CommandReply): Promise<void> {
    await this.#publish('cmd/ack', JSON.stringify({ id, ...reply }));
  }

  async reportUpdate(report: UpdateReport): Promise<void> {
    await this.#publish('ota/status', JSON.stringify(report));
  }

  ask(): void {
    this.#publish('shadow/get', '{}').catch(() => undefined);
  }

  cut(): void {
    this.#client?.stream.destroy();
  }

  pause(): void {
    this.#wanted = false;
    clearTimeout(this.#retry);
    const client = this.#client;
    if (client) this.#closed(client);
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#retry);
    const client = this.#client;
    if (!client) return;
    // A clean DISCONNECT withholds the last will, so a leaving device says itself that it is gone.
    if (this.#open) await this.#publish('status', '{"online":false}').catch(() => undefined);
    await client.endAsync(!client.connected).catch(() => undefined);
  }

  #topic(kind: TopicKind): string {
    return topicFor(this.#access.serial, kind);
  }

  #connect(): void {
    const { url, serial, password, ca, keepaliveS } = this.#access;
    const client = connect(url, {
      protocolVersion: 4,
      clientId: serial,
      username: serial,
      password,
      ...(ca ? { ca } : {}),
      clean: true,
      keepalive: keepaliveS ?? 60,
      reconnectPeriod: 0,
      connectTimeout: 15_000,
      will: { topic: this.#topic('status'), payload: Buffer.from('{"online":false}'), qos: 1, retain: false },
    });
    this.#client = client;
    // One for each message on its way.
    client.setMaxListeners(0);
    client.on('connect', () => this.#connected(client));
    client.on('message', (topic, payload) => {
      if (this.#open) this.#received(topic, payload);
      else this.#early.push(() => this.#received(topic, payload));
    });
    // Without a listener a failed attempt would end the process; 'close' follows and decides what to do.
    client.on('error', (error) => this.#events.refused(error.message));
    client.on('close', () => this.#closed(client));
  }

  #connected(client: MqttClient): void {
    const stream = client.stream as { setNoDelay?(on: boolean): void };
    stream.setNoDelay?.(true);
    // What waits is sent when the device says that it is there: it must be able to hear it by then.
    client.subscribe(
      RECEIVED.map((kind) => this.#topic(kind)),
      { qos: 1 },
      (error) => (error ? client.stream.destroy() : this.#ready(client)),
    );
  }

  #ready(client: MqttClient): void {
    if (this.#client !== client) return;
    this.#backoff.reset();
    this.#open = true;
    this.#publish('status', '{"online":true}').catch(() => undefined);
    this.ask();
    this.#events.opened();
    for (const receive of this.#early.splice(0)) receive();
  }

  #received(topic: string, payload: Buffer): void {
    const kind = RECEIVED.find((one) => topic === this.#topic(one));
    // Empty: the retained message was cleared, because the device changed hands or lost its credential.
    if (kind === undefined || payload.length === 0) return;
    const document: unknown = parse(payload.toString());
    if (!isObject(document)) return;
    if (kind === 'shadow/desired') return this.#events.desired(document, null);
    if (kind === 'cmd') {
      const command = readCommand(document);
      if (command) this.#events.command(command);
      return;
    }
    if (kind === 'ota') {
      const order = readOrder(document);
      if (order) this.#events.update(order);
      return;
    }
    const { version, desired } = document;
    if (typeof version === 'number' && isObject(desired)) this.#events.desired(desired, version);
  }

  #closed(client: MqttClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#early = [];
    if (this.#open) {
      this.#open = false;
      this.#events.closed();
    }
    // Packets the dead client still holds are failed, not resent behind the device's back.
    client.end(true);
    if (this.#wanted) this.#retry = setTimeout(() => this.#connect(), this.#backoff.next());
  }

  #publish(kind: TopicKind, body: string): Promise<void> {
    const client = this.#client;
    if (!client || !this.#open) return Promise.reject(new Error('not connected'));
    return new Promise((resolve, reject) => {
      const lost = () => reject(new Error('connection lost before the acknowledgement'));
      client.once('close', lost);
      client.publish(this.#topic(kind), body, { qos: 1 }, (error) => {
        client.off('close', lost);
        if (error) reject(error);
        else resolve();
      });
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
