/** MQTT 3.1.1 packets of a publisher, written straight into a buffer: the generator must cost less than what it measures. */

const PUBLISH_QOS1 = 0x32;
const VARIANTS = 64;

/** The packet of the product page, without ts or seq; `uptime` counts the readings of a device. */
const heads = Array.from({ length: VARIANTS }, (_, i) => {
  const wave = Math.sin((i / VARIANTS) * 2 * Math.PI);
  const temp = (24.3 + wave * 0.5).toFixed(1);
  const hum = Math.round(58 + wave * 2);
  const co2 = Math.round(847 + wave * 12);
  const signal = Math.round(-61 + wave * 3);
  return `{"temp":${temp},"hum":${hum},"co2":${co2},"relay":false,"bat":4.05,"signal":${signal},"uptime":`;
});
const tails = Array.from({ length: VARIANTS }, (_, i) => `,"heap":${186_432 + i * 16}}`);

/** Payload of reading number `counter` of device number `index`. */
export function payload(index: number, counter: number): string {
  const variant = (index * 7 + counter) % VARIANTS;
  return heads[variant]! + counter + tails[variant]!;
}

export function telemetryTopic(serial: string): Buffer {
  return Buffer.from(`devices/${serial}/telemetry`, 'latin1');
}

/** Bytes a PUBLISH with this topic needs at most. */
export function publishRoom(topic: Buffer): number {
  return 5 + 2 + topic.length + 2 + 220;
}

/** Writes one PUBLISH at `offset` and returns the offset behind it. The caller made room. */
export function writePublish(
  buffer: Buffer,
  offset: number,
  topic: Buffer,
  packetId: number,
  text: string,
): number {
  let remaining = 2 + topic.length + 2 + text.length;
  buffer[offset++] = PUBLISH_QOS1;
  do {
    const digit = remaining % 128;
    remaining = (remaining - digit) / 128;
    buffer[offset++] = remaining > 0 ? digit | 0x80 : digit;
  } while (remaining > 0);
  offset = buffer.writeUInt16BE(topic.length, offset);
  offset += topic.copy(buffer, offset);
  offset = buffer.writeUInt16BE(packetId, offset);
  return offset + buffer.write(text, offset, 'latin1');
}

export interface ConnectOptions {
  clientId: string;
  username: string;
  password: string;
  keepaliveS: number;
}

export function connectPacket({ clientId, username, password, keepaliveS }: ConnectOptions): Buffer {
  const field = (text: string): Buffer => {
    const bytes = Buffer.from(text);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
  };
  const flags = 0xc2; // user name, password, clean session
  const body = Buffer.concat([
    field('MQTT'),
    Buffer.from([4, flags, keepaliveS >> 8, keepaliveS & 0xff]),
    field(clientId),
    field(username),
    field(password),
  ]);
  return Buffer.concat([Buffer.from([0x10]), remainingLength(body.length), body]);
}

function remainingLength(length: number): Buffer {
  const digits: number[] = [];
  do {
    const digit = length % 128;
    length = (length - digit) / 128;
    digits.push(length > 0 ? digit | 0x80 : digit);
  } while (length > 0);
  return Buffer.from(digits);
}

/** What a broker sends a publisher, cut out of the byte stream. Chunks may end anywhere. */
export class AckReader {
  readonly #onConnack: (code: number) => void;
  readonly #onPuback: (packetId: number) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onConnack: (code: number) => void, onPuback: (packetId: number) => void) {
    this.#onConnack = onConnack;
    this.#onPuback = onPuback;
  }

  /** Everything a publisher receives is shorter than 128 bytes, so the length is one byte. */
  read(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (at + 2 <= bytes.length) {
      const end = at + 2 + bytes[at + 1]!;
      if (end > bytes.length) break;
      const kind = bytes[at]! >> 4;
      if (kind === 4) this.#onPuback(bytes.readUInt16BE(at + 2));
      else if (kind === 2) this.#onConnack(bytes[at + 3]!);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}
