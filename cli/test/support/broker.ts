import { createServer as createTlsServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { Aedes, type AedesPublishPacket, type Client } from 'aedes';
import { generate } from 'selfsigned';
import { climateNode, MqttDoor, VirtualDevice } from '../../src/simulate/index.ts';
import type { DeviceEvent, VirtualDeviceOptions } from '../../src/simulate/index.ts';

export interface Seen {
  client: string;
  topic: string;
  qos: number;
  body: unknown;
}

export const SECRET = 'ec_dev_test';

/** A broker over TLS that remembers what devices publish, and the devices a test lets loose on it. */
export class TestBroker {
  readonly aedes: Aedes;
  readonly url: string;
  readonly ca: string;
  readonly #server: ReturnType<typeof createTlsServer>;
  readonly #running: VirtualDevice[] = [];
  seen: Seen[] = [];
  clients = new Map<string, Client>();
  /** `serial topic` of every subscription, and `serial status` of every birth, in their order. */
  order: string[] = [];
  /** While set, publishes are held back without a PUBACK. */
  holding = false;

  private constructor(aedes: Aedes, server: ReturnType<typeof createTlsServer>, ca: string) {
    this.aedes = aedes;
    this.#server = server;
    this.ca = ca;
    this.url = `mqtts://localhost:${(server.address() as AddressInfo).port}`;
    aedes.authorizePublish = (client, packet, done) => {
      if (this.holding) return;
      if (client) this.#see(client, packet as AedesPublishPacket);
      done(null);
    };
    aedes.on('client', (client) => this.clients.set(client.id, client));
    aedes.on('subscribe', (subscriptions, client) => {
      for (const { topic } of subscriptions) this.order.push(`${client.id} ${topic}`);
    });
  }

  static async start(): Promise<TestBroker> {
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
      keySize: 2048,
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
      ],
    });
    const aedes = await Aedes.createBroker({
      authenticate: (_client, username, password, done) =>
        done(null, password?.toString() === SECRET && username !== undefined),
    });
    const server = createTlsServer({ cert: pems.cert, key: pems.private }, (socket) => aedes.handle(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TestBroker(aedes, server, pems.cert);
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.aedes.close(() => resolve()));
    this.#server.close();
  }

  /** After each test: devices stop and everything seen is forgotten. */
  async forget(): Promise<void> {
    this.holding = false;
    await Promise.all(this.#running.splice(0).map((device) => device.stop()));
    this.seen = [];
    this.order = [];
    this.clients = new Map();
  }

  /** A climate node that knows this broker; not started. */
  climate(
    serial: string,
    more: Partial<VirtualDeviceOptions> & { password?: string; ca?: string } = {},
  ): { device: VirtualDevice; events: DeviceEvent[] } {
    const events: DeviceEvent[] = [];
    const { password = SECRET, ca = this.ca, ...options } = more;
    const device = new VirtualDevice({
      ...{ serial, intervalS: 0.05, bootMs: 50 },
      profile: climateNode({ serial, room: 'office', zone: 'Europe/Berlin' }),
      door: (listeners) => new MqttDoor({ url: this.url, serial, password, ca }, listeners),
      onEvent: (event) => events.push(event),
      ...options,
    });
    this.#running.push(device);
    return { device, events };
  }

  bodies(topic: string): unknown[] {
    return this.seen.filter((message) => message.topic === topic).map(({ body }) => body);
  }

  telemetry(serial: string): Record<string, unknown>[] {
    const all = this.bodies(`devices/${serial}/telemetry`);
    return all.filter((body) => !Array.isArray(body)) as Record<string, unknown>[];
  }

  batches(serial: string): unknown[][] {
    return this.bodies(`devices/${serial}/telemetry`).filter((body) => Array.isArray(body)) as unknown[][];
  }

  document(serial: string, version: number, desired: object): void {
    const at = new Date().toISOString();
    const body = { version, desired, delta: desired, at };
    this.send(`devices/${serial}/shadow/document`, JSON.stringify(body));
  }

  send(topic: string, payload: string, retain = false): void {
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain, dup: false };
    this.aedes.publish(packet as AedesPublishPacket, () => undefined);
  }

  #see({ id: client }: Client, { topic, qos, payload }: AedesPublishPacket): void {
    if (topic.endsWith('/status') && !topic.includes('/ota/')) this.order.push(`${client} status`);
    this.seen.push({ client, topic, qos, body: parse(payload.toString()) });
  }
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { rubbish: text };
  }
}
