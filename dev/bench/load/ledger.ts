/**
 * Who was sent what and what of it the broker acknowledged. Readings of a device are numbered 1, 2, 3 …; a
 * broker acknowledges in order, so "acknowledged up to n" says everything.
 */
export class Ledger {
  readonly sent: Int32Array;
  readonly acked: Int32Array;
  sentTotal = 0;
  ackedTotal = 0;

  constructor(devices: number) {
    this.sent = new Int32Array(devices);
    this.acked = new Int32Array(devices);
  }

  /** Notes one more reading of a device and returns its number. */
  send(device: number): number {
    this.sentTotal++;
    return ++this.sent[device]!;
  }

  ack(device: number): void {
    this.ackedTotal++;
    this.acked[device]!++;
  }

  get inFlight(): number {
    return this.sentTotal - this.ackedTotal;
  }
}

/** The packet ids of one connection and which device each stands for. Ids are reused once acknowledged. */
export class PacketIds {
  static readonly SPACE = 65_535;
  readonly #device = new Int32Array(PacketIds.SPACE + 1).fill(-1);
  #next = 1;

  /** The id for a reading of `device`. Throws when 65,535 readings wait for their acknowledgement. */
  take(device: number): number {
    const id = this.#next;
    if (this.#device[id] !== -1) throw new Error('no packet id is free: the window is too large');
    this.#device[id] = device;
    this.#next = id === PacketIds.SPACE ? 1 : id + 1;
    return id;
  }

  /** The device an acknowledged id stood for, or undefined when nothing was sent under it. */
  release(id: number): number | undefined {
    const device = this.#device[id];
    if (device === undefined || device === -1) return undefined;
    this.#device[id] = -1;
    return device;
  }
}
