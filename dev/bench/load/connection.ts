import { createConnection, type Socket } from 'node:net';
import { AckReader, connectPacket, publishRoom, writePublish } from './frames.ts';
import { PacketIds } from './ledger.ts';

export interface Target {
  host: string;
  port: number;
}

export interface Login {
  username: string;
  password: string;
}

const PINGREQ = Buffer.from([0xc0, 0]);
const DISCONNECT = Buffer.from([0xe0, 0]);
const KEEPALIVE_S = 60;
const CHUNK = 64 * 1024;

/** A publisher that knows CONNECT, PUBLISH QoS 1, PUBACK and PINGREQ, and nothing else. */
export class Connection {
  readonly #socket: Socket;
  readonly #ids = new PacketIds();
  readonly #ping: NodeJS.Timeout;
  #buffer = Buffer.allocUnsafe(CHUNK);
  #filled = 0;
  inFlight = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#ping = setInterval(() => socket.write(PINGREQ), KEEPALIVE_S * 500).unref();
  }

  /** Rejects when the broker refuses the login or the connection. */
  static open(
    target: Target,
    login: Login,
    onAck: (device: number) => void,
    onLost: (why: string) => void,
  ): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ ...target, noDelay: true });
      const connection = new Connection(socket);
      let open = false;
      const reader = new AckReader(
        (code) => {
          if (code !== 0)
            return reject(new Error(`${login.username}: the broker refused the login (${code})`));
          open = true;
          resolve(connection);
        },
        (id) => {
          const device = connection.#ids.release(id);
          if (device === undefined) return;
          connection.inFlight--;
          onAck(device);
        },
      );
      socket.on('data', (chunk: Buffer) => reader.read(chunk));
      socket.on('error', (error) => (open ? onLost(error.message) : reject(error)));
      socket.on('close', () => {
        clearInterval(connection.#ping);
        if (open && !connection.#leaving) onLost(`${login.username}: connection closed`);
      });
      socket.on('connect', () =>
        socket.write(connectPacket({ clientId: login.username, keepaliveS: KEEPALIVE_S, ...login })),
      );
    });
  }

  #leaving = false;

  /** Whether the broker takes bytes as fast as they come; publishing regardless only fills memory. */
  get writable(): boolean {
    return this.#socket.writableLength < 1_000_000;
  }

  publish(device: number, topic: Buffer, text: string): void {
    if (this.#filled + publishRoom(topic) > CHUNK) this.flush();
    this.#filled = writePublish(this.#buffer, this.#filled, topic, this.#ids.take(device), text);
    this.inFlight++;
  }

  flush(): void {
    if (this.#filled === 0) return;
    this.#socket.write(this.#buffer.subarray(0, this.#filled));
    this.#buffer = Buffer.allocUnsafe(CHUNK);
    this.#filled = 0;
  }

  close(): void {
    this.#leaving = true;
    clearInterval(this.#ping);
    this.#socket.end(DISCONNECT);
  }
}
