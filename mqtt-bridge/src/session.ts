import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import mqttPacket, { type IConnackPacket, type IPublishPacket, type Packet, type Parser } from 'mqtt-packet';
import { errorText, type Log } from './log.ts';

/** A message of the broker that waits for its acknowledgement. Keep it: `acknowledge` takes it back. */
export interface Incoming {
  topic: string;
  payload: Buffer;
  /** The broker sent it before, perhaps. */
  dup: boolean;
  /** A stored message replayed because of a subscription, not something that just happened. */
  retain: boolean;
  /** 0 for QoS 0, which is never acknowledged. */
  messageId: number;
  /** The connection it came by: packet ids mean nothing on another one. */
  generation: number;
}

export interface SessionOptions {
  /** mqtt://host:port or mqtts://host:port */
  url: string;
  /** File with the authority's certificate, PEM; the system's authorities when left out. */
  caFile?: string;
  /** User name and client id. */
  user: string;
  password: string;
  filters: readonly string[];
  /** Most messages the broker may leave unacknowledged (MQTT 5; a 3.1.1 broker has a setting of its own). */
  receiveMaximum: number;
  log: Log;
}

interface SessionEvents {
  /** Let in, before the first message. `present`: the broker had the session and re-sends what is unacknowledged. */
  up: [present: boolean];
  subscribed: [];
  down: [];
  message: [Incoming];
}

const KEEPALIVE_S = 30;
const CONNECT_TIMEOUT_MS = 10_000;
const SESSION_EXPIRY_S = 7 * 24 * 3600;
const SUBSCRIBE_ID = 1;

/**
 * The receiving end of a persistent MQTT session with acknowledgements on demand, MQTT 5 or, where the broker
 * has no 5, 3.1.1. Made on mqtt-packet because MQTT.js acknowledges by itself, one message at a time; this
 * costs a third of its processor time per message. Reconnects for ever once connected.
 */
export class Session extends EventEmitter<SessionEvents> {
  readonly #o: SessionOptions;
  #socket: Socket | undefined;
  #version: 4 | 5 = 5;
  #generation = 0;
  #letIn = false;
  #isUp = false;
  #wanted = false;
  #paused = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #keepalive: NodeJS.Timeout | undefined;
  #heard = 0;

  constructor(options: SessionOptions) {
    super();
    this.#o = options;
  }

  /** Connected and subscribed. */
  get isUp(): boolean {
    return this.#isUp;
  }

  get generation(): number {
    return this.#generation;
  }

  open(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#dial();
  }

  #dial(): void {
    this.#generation++;
    const { url, caFile } = this.#o;
    const { protocol, hostname: host, port } = new URL(url);
    const secure = protocol === 'mqtts:';
    const target = { host, port: Number(port) || (secure ? 8883 : 1883) };
    const ca = caFile === undefined ? {} : { ca: readFileSync(caFile) };
    const socket = secure ? connectTls({ ...target, ...ca, servername: host }) : connectTcp(target);
    this.#socket = socket;
    socket.setNoDelay(true);
    const timeout = setTimeout(() => socket.destroy(new Error('no answer to CONNECT')), CONNECT_TIMEOUT_MS);
    let reason: unknown = new Error('connection closed by the broker');
    const parser = mqttPacket.parser({ protocolVersion: this.#version });
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connack') clearTimeout(timeout);
      this.#receive(packet, socket);
    });
    parser.on('error', (error) => socket.destroy(error));
    socket.on(secure ? 'secureConnect' : 'connect', () => this.#sayHello(socket));
    socket.on('data', (chunk) => this.#parse(parser, chunk, socket));
    socket.on('error', (error) => (reason = error));
    socket.on('close', () => {
      clearTimeout(timeout);
      if (this.#socket === socket) this.#lost(reason);
    });
  }

  #parse(parser: Parser, chunk: Buffer, socket: Socket): void {
    this.#heard = Date.now();
    try {
      parser.parse(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  }

  #sayHello(socket: Socket): void {
    const { user: username, password, receiveMaximum } = this.#o;
    const five = { properties: { sessionExpiryInterval: SESSION_EXPIRY_S, receiveMaximum } };
    const common = {
      cmd: 'connect',
      clean: false,
      clientId: username,
      username,
      password,
      keepalive: KEEPALIVE_S,
    };
    this.#send(socket, {
      ...common,
      protocolId: 'MQTT',
      protocolVersion: this.#version,
      ...(this.#version === 5 ? five : {}),
    } as unknown as Packet);
  }

  #send(socket: Socket, packet: Packet): void {
    socket.write(mqttPacket.generate(packet, { protocolVersion: this.#version }));
  }

  #receive(packet: Packet, socket: Socket): void {
    if (packet.cmd === 'publish') {
      if (this.#wanted) this.emit('message', this.#incoming(packet));
    } else if (packet.cmd === 'connack') this.#welcome(packet, socket);
    else if (packet.cmd === 'suback') this.#subscribed(packet.granted as number[], socket);
    else if (packet.cmd === 'disconnect')
      this.#o.log('warn', 'broker says goodbye', { reason: packet.reasonCode });
  }

  #incoming({ topic, payload, dup, retain, qos, messageId }: IPublishPacket): Incoming {
    return {
      topic,
      payload: payload as Buffer,
      dup,
      retain,
      messageId: qos === 0 ? 0 : (messageId as number),
      generation: this.#generation,
    };
  }

  #welcome(connack: IConnackPacket, socket: Socket): void {
    const code = connack.returnCode ?? connack.reasonCode ?? 0;
    // 1 is how a broker of MQTT 3.1.1 refuses a 5, 132 how one of 5 would.
    if (this.#version === 5 && (code === 1 || code === 132)) {
      this.#version = 4;
      this.#failures = -1; // the next attempt is not a retry
      socket.destroy();
      return;
    }
    if (code !== 0) {
      socket.destroy(new Error(`the broker refused the connection (code ${code})`));
      return;
    }
    this.#letIn = true;
    this.#isUp = connack.sessionPresent; // the broker kept the subscriptions; they are only confirmed below
    this.#o.log('info', 'connected to the broker', {
      mqtt: this.#version,
      session_present: connack.sessionPresent,
    });
    this.emit('up', connack.sessionPresent);
    this.#keepalive = setInterval(() => this.#ping(socket), KEEPALIVE_S * 500);
    // rh 2: no retained messages for a subscription, they are no readings. 3.1.1 ignores it.
    const subscriptions = this.#o.filters.map((topic) => ({
      topic,
      qos: 1 as const,
      nl: false,
      rap: false,
      rh: 2,
    }));
    this.#send(socket, { cmd: 'subscribe', messageId: SUBSCRIBE_ID, subscriptions } as Packet);
  }

  #subscribed(granted: number[], socket: Socket): void {
    if (granted.some((qos) => qos > 2)) {
      socket.destroy(new Error('the broker refused a subscription'));
      return;
    }
    this.#failures = 0;
    this.#isUp = true;
    this.emit('subscribed');
    if (this.#paused) socket.pause();
  }

  #ping(socket: Socket): void {
    // Nothing is heard while reading is paused; that says nothing about the broker.
    if (!this.#paused && Date.now() - this.#heard > KEEPALIVE_S * 1500) {
      socket.destroy(new Error('the broker is silent'));
      return;
    }
    this.#send(socket, { cmd: 'pingreq' });
  }

  /** Acknowledges in the given order; ids of a former connection are left out, the broker sends those again. */
  acknowledge(messages: readonly Incoming[]): void {
    const socket = this.#socket;
    if (!socket) return;
    const bytes = Buffer.allocUnsafe(messages.length * 4);
    let at = 0;
    for (const { messageId, generation } of messages) {
      if (messageId === 0 || generation !== this.#generation) continue;
      bytes[at++] = 0x40; // PUBACK, two bytes: the packet id
      bytes[at++] = 2;
      bytes[at++] = messageId >> 8;
      bytes[at++] = messageId & 255;
    }
    if (at > 0) socket.write(bytes.subarray(0, at));
  }

  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#heard = Date.now();
    this.#socket?.resume();
  }

  #lost(reason: unknown): void {
    clearInterval(this.#keepalive);
    this.#socket = undefined;
    const wasIn = this.#letIn;
    this.#letIn = this.#isUp = false;
    if (wasIn) this.emit('down');
    if (!this.#wanted) return;
    const delay =
      this.#failures < 0 ? 0 : Math.min(100 * 2 ** this.#failures, 5_000) * (0.5 + Math.random() / 2);
    this.#failures++;
    if (delay > 0)
      this.#o.log('warn', 'not connected to the broker', {
        error: errorText(reason),
        retry_ms: Math.round(delay),
      });
    this.#retry = setTimeout(() => this.#dial(), delay);
  }

  /** Says DISCONNECT after everything written before; the session stays with the broker. */
  async close(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    if (!socket) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    if (this.#letIn) this.#send(socket, { cmd: 'disconnect' } as Packet);
    socket.resume(); // a paused socket never sees the end of the stream
    socket.end();
    const timer = setTimeout(() => socket.destroy(), 2_000);
    await closed;
    clearTimeout(timer);
  }
}
