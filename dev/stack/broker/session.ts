import type { AedesPublishPacket, Client } from 'aedes';

type Packet = AedesPublishPacket & { messageId?: number };
type Broker = { id: string; counter: number };

/** A message a persistent session still owes its client. `key` is the broker's counter: order of arrival. */
export interface Entry {
  key: number;
  packet: Packet;
  /** The connection it was handed to; another one has to send it again. */
  claimed?: Client;
  messageId?: number;
  /** The connection it was last written to. */
  written?: Client;
  /** Its number in the journal, once it has one. */
  jid?: number;
  /** Written to a socket at least once, so sending it again carries DUP. */
  sent: boolean;
  /** Waiting for PUBCOMP instead of PUBACK (QoS 2). */
  released: boolean;
}

/**
 * One persistent session: its filters and the queue of messages not yet acknowledged, in order.
 * While a reconnecting client drains the queue, live messages line up behind it instead of overtaking.
 */
export class Session {
  readonly clientId: string;
  readonly filters = new Map<string, 0 | 1 | 2>();
  lastSeen = Date.now();
  #broker: Broker;
  #entries = new Map<number, Entry>();
  #byMessageId = new Map<number, Entry>();
  #draining = false;
  #roomWaiters: Array<{ below: number; go: () => void }> = [];

  constructor(clientId: string, broker: Broker) {
    this.clientId = clientId;
    this.#broker = broker;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  push(packet: Packet): Entry {
    const entry: Entry = { key: packet.brokerCounter, packet, sent: false, released: false };
    this.#entries.set(entry.key, entry);
    return entry;
  }

  /** Until `adopt` the key is the journal's number. */
  restore(jid: number, packet: Packet, sent: boolean): void {
    this.#entries.set(jid, { key: jid, jid, packet, sent, released: false });
  }

  forget(jid: number): void {
    this.#entries.delete(jid);
  }

  /** Renumbers restored entries so that they belong to this broker and sort before anything new. */
  adopt(broker: Broker): void {
    this.#broker = broker;
    const old = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of old) {
      entry.key = ++broker.counter;
      entry.packet.brokerId = broker.id;
      entry.packet.brokerCounter = entry.key;
      this.#entries.set(entry.key, entry);
    }
  }

  beginDrain(): void {
    this.lastSeen = Date.now();
    this.#draining = true;
  }

  admit(client: Client, packet: Packet): boolean {
    if (this.#draining) return false;
    const entry = this.#entries.get(packet.brokerCounter);
    if (!entry || entry.claimed === client) return false;
    entry.claimed = client;
    return true;
  }

  /** Everything owed, oldest first, including what arrives while this runs; then live delivery takes over. */
  async *drain(client: Client): AsyncGenerator<Packet> {
    this.#reserveMessageIds(client);
    let last: Entry | undefined;
    for (;;) {
      for (const entry of this.#entries.values()) {
        if (entry.claimed === client) continue;
        entry.claimed = client;
        last = entry;
        yield { ...entry.packet, messageId: entry.messageId, dup: entry.sent } as Packet;
      }
      // The stream buffers: live messages may only go direct once the last queued one has gone out.
      const flushed = !last || last.written === client || !this.#entries.has(last.key) || client.closed;
      if (flushed) break;
      await new Promise(setImmediate);
    }
    this.#draining = false;
  }

  /** Aedes numbers packets by a plain counter; ids still owed to this session must be skipped. */
  #reserveMessageIds(client: Client): void {
    let next = 0;
    const used = this.#byMessageId;
    const settle = (from: number): void => {
      next = from > 65_535 || from < 1 ? 1 : from;
      for (let tries = 0; used.has(next) && tries < 65_535; tries++) next = next === 65_535 ? 1 : next + 1;
    };
    settle((client as unknown as { _nextId: number })._nextId);
    Object.defineProperty(client, '_nextId', { configurable: true, get: () => next, set: settle });
  }

  sent(client: Client, packet: Omit<Packet, 'cmd'> & { cmd: string }): void {
    if (packet.cmd === 'pubrel') {
      const entry = this.#byMessageId.get(packet.messageId as number);
      if (entry) entry.released = true;
      return;
    }
    const entry = this.#entries.get(packet.brokerCounter);
    if (!entry || packet.messageId === undefined) return;
    if (entry.messageId !== undefined && entry.messageId !== packet.messageId)
      this.#byMessageId.delete(entry.messageId);
    entry.messageId = packet.messageId;
    entry.written = client;
    if (!client.closed) entry.sent = true;
    this.#byMessageId.set(packet.messageId, entry);
  }

  acknowledge(messageId: number): Entry | undefined {
    const entry = this.#byMessageId.get(messageId);
    if (entry) this.#remove(entry);
    return entry;
  }

  dropOldest(): Entry | undefined {
    const [oldest] = this.#entries.values();
    if (oldest) this.#remove(oldest);
    return oldest;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    if (entry.messageId !== undefined && this.#byMessageId.get(entry.messageId) === entry)
      this.#byMessageId.delete(entry.messageId);
    while (this.#roomWaiters[0] && this.size < this.#roomWaiters[0].below) this.#roomWaiters.shift()?.go();
  }

  /** Calls `go` once fewer than `below` messages are owed: at once, or when enough were acknowledged. */
  whenBelow(below: number, go: () => void): void {
    if (this.size < below && this.#roomWaiters.length === 0) go();
    else this.#roomWaiters.push({ below, go });
  }

  clear(): void {
    this.#entries.clear();
    this.#byMessageId.clear();
    for (const waiter of this.#roomWaiters.splice(0)) waiter.go();
  }
}
