import { Readable } from 'node:stream';
import type { AedesPublishPacket, Client, Subscription } from 'aedes';
import { filterMatches, isBridgeUser, mayReceive } from './acl.ts';
import type { Op } from './journal.ts';
import { Session, type Entry } from './session.ts';

/** Messages kept for a device that is away; the oldest goes first (retained state is not among them). */
const DEVICE_QUEUE = 100;
/** A persistent session nobody came back for is forgotten after this. */
export const SESSION_EXPIRY_MS = 7 * 24 * 3_600_000;

type Packet = AedesPublishPacket & { messageId?: number; clientId?: string };
type Target = { clientId: string; topic: string; qos: number };

export interface StoreOptions {
  /** `all` = every queued message too; `state` = retained messages and subscriptions only. */
  journal?: { append(op: Op): void; scope: 'all' | 'state' };
  onDropped(clientId: string, topic: string): void;
}

/**
 * What aedes remembers: retained messages, persistent sessions, wills. Aedes' own in-memory store scans the
 * whole queue for every acknowledgement, re-sends without the DUP flag, sends what arrives during a reconnect
 * twice, and lets new packet ids collide with those of re-sent ones; at bridge rates each of them loses or
 * doubles readings. Every promise here resolves in the same turn: aedes drops messages that overtake.
 */
export class SessionStore {
  readonly sessions = new Map<string, Session>();
  readonly #retained = new Map<string, Map<string, Packet>>();
  readonly #incoming = new Map<string, Map<number, Packet>>();
  readonly #wills = new Map<string, Packet>();
  readonly #bridges = new Set<Session>();
  /** Devices that held a connection when this was last known; see embedded.ts. */
  readonly online = new Set<string>();
  /** Written to the journal before their PUBACK and not yet in a queue, by broker counter. */
  readonly #announced = new Set<{ jid: number; ops: Op[] }>();
  readonly #transit = new Map<number, { jid: number; ops: Op[] }>();
  #nextJid = 1;
  readonly #o: StoreOptions;
  #broker: { id: string; counter: number } = { id: '', counter: 0 };

  constructor(options: StoreOptions) {
    this.#o = options;
  }

  async setup(broker: { id: string; counter: number }): Promise<void> {
    this.#broker = broker;
    // Entries read from the journal belong to the broker of a former life.
    for (const session of this.sessions.values()) session.adopt(broker);
  }

  // --- retained ---

  async storeRetained(packet: Packet): Promise<void> {
    this.#keepRetained({ ...packet, messageId: undefined } as unknown as Packet);
    if (!this.#transit.has(packet.brokerCounter)) this.#o.journal?.append(retainOp(packet));
  }

  #keepRetained(packet: Packet): void {
    const owner = packet.topic.split('/', 2)[1] ?? '';
    const topics = this.#retained.get(owner) ?? new Map<string, Packet>();
    if (packet.payload.length === 0) topics.delete(packet.topic);
    else topics.set(packet.topic, packet);
    if (topics.size === 0) this.#retained.delete(owner);
    else this.#retained.set(owner, topics);
  }

  createRetainedStreamCombi(filters: string[]): Readable {
    return Readable.from(filters.flatMap((filter) => [...this.#retainedFor(filter)]));
  }

  *#retainedFor(filter: string): Iterable<Packet> {
    const owner = filter.split('/', 2)[1] ?? '';
    // Devices subscribe below their own root: looking only there keeps a reconnect storm linear.
    const groups =
      owner === '+' || owner === '#' || owner === '' ? this.#retained.values() : [this.#retained.get(owner)];
    for (const group of groups)
      for (const [topic, packet] of group ?? []) if (filterMatches(filter, topic)) yield packet;
  }

  // --- subscriptions of persistent sessions ---

  open(clientId: string): Session {
    let session = this.sessions.get(clientId);
    if (!session) {
      session = new Session(clientId, this.#broker);
      this.sessions.set(clientId, session);
      if (isBridgeUser(clientId)) this.#bridges.add(session);
    }
    return session;
  }

  async addSubscriptions(client: { id: string }, subs: Subscription[]): Promise<void> {
    const session = this.open(client.id);
    for (const { topic, qos } of subs) {
      session.filters.set(topic, qos);
      this.#o.journal?.append(['sub', client.id, topic, qos]);
    }
  }

  async removeSubscriptions(client: { id: string }, filters: string[]): Promise<void> {
    const session = this.sessions.get(client.id);
    for (const filter of filters) {
      if (session?.filters.delete(filter)) this.#o.journal?.append(['unsub', client.id, filter]);
    }
  }

  /** Asked once at the CONNECT of a persistent session; from here its live messages queue up in order. */
  async subscriptionsByClient(client: { id: string }): Promise<Subscription[]> {
    const session = this.sessions.get(client.id);
    if (!session) return [];
    session.beginDrain();
    return [...session.filters].map(([topic, qos]) => ({ topic, qos }) as Subscription);
  }

  async cleanSubscriptions(client: { id: string }): Promise<void> {
    this.purge(client.id);
  }

  /** Forgets a session with everything queued in it: clean CONNECT, revocation, expiry. */
  purge(clientId: string): void {
    const session = this.sessions.get(clientId);
    if (!session) return;
    this.sessions.delete(clientId);
    this.#bridges.delete(session);
    session.clear();
    this.#o.journal?.append(['purge', clientId]);
  }

  purgeExpired(connected: (id: string) => boolean, now = Date.now()): void {
    for (const [id, session] of this.sessions) {
      if (connected(id)) session.lastSeen = now;
      else if (!isBridgeUser(id) && now - session.lastSeen > SESSION_EXPIRY_MS) this.purge(id);
    }
  }

  async subscriptionsByTopic(topic: string): Promise<Target[]> {
    return this.targets(topic);
  }

  targets(topic: string): Target[] {
    const found: Target[] = [];
    const look = (session: Session | undefined): void => {
      if (!session || !mayReceive(session.clientId, topic)) return;
      for (const [filter, qos] of session.filters) {
        if (qos > 0 && filterMatches(filter, topic)) {
          found.push({ clientId: session.clientId, topic: filter, qos });
          return;
        }
      }
    };
    look(this.sessions.get(topic.split('/', 2)[1] ?? ''));
    for (const session of this.#bridges) look(session);
    return found;
  }

  // --- queues ---

  /**
   * Durable mode: notes everything this publish will change before it is acknowledged. The caller waits for the
   * journal, numbers the packet (in that order: aedes drops what arrives with a smaller number) and calls `arrive`.
   */
  announce(packet: Packet): { arrive(counter: number): void } | undefined {
    const targets = this.targets(packet.topic);
    const jid = this.#nextJid++;
    const ops = targets.map((target) => messageOp(target.clientId, jid, packet, true));
    if (packet.retain) ops.push(retainOp(packet));
    if (ops.length === 0) return undefined;
    for (const op of ops) this.#o.journal?.append(op);
    const waiting = { jid, ops };
    this.#announced.add(waiting);
    return {
      arrive: (counter) => {
        this.#announced.delete(waiting);
        this.#transit.set(counter, waiting);
      },
    };
  }

  async outgoingEnqueue(target: { clientId: string }, packet: Packet): Promise<void> {
    this.#enqueue(target.clientId, packet, this.#transit.get(packet.brokerCounter)?.jid);
  }

  async outgoingEnqueueCombi(targets: Target[], packet: Packet): Promise<void> {
    const jid = this.#transit.get(packet.brokerCounter)?.jid;
    for (const target of targets) this.#enqueue(target.clientId, packet, jid);
    this.#transit.delete(packet.brokerCounter);
  }

  #enqueue(clientId: string, packet: Packet, jid: number | undefined): void {
    const session = this.open(clientId);
    const entry = session.push(packet);
    if (this.#o.journal?.scope === 'all') {
      entry.jid = jid ?? this.#nextJid++;
      if (jid === undefined) this.#o.journal.append(messageOp(clientId, entry.jid, packet, true));
    }
    if (isBridgeUser(clientId) || session.size <= DEVICE_QUEUE) return;
    const dropped = session.dropOldest();
    if (!dropped) return;
    this.#journalDone(session, dropped);
    this.#o.onDropped(clientId, dropped.packet.topic);
  }

  #journalDone(session: Session, entry: Entry): void {
    if (entry.jid !== undefined && this.#o.journal?.scope === 'all')
      this.#o.journal.append(['done', session.clientId, entry.jid]);
  }

  async outgoingUpdate(client: Client, packet: Omit<Packet, 'cmd'> & { cmd: string }): Promise<void> {
    this.sessions.get(client.id)?.sent(client, packet);
  }

  async outgoingClearMessageId(client: Client, packet: { messageId?: number }): Promise<unknown> {
    const session = this.sessions.get(client.id);
    // Without an id aedes means "not forwarded"; whether that message is done is for `admit` to say.
    if (!session || packet.messageId === undefined) return undefined;
    const entry = session.acknowledge(packet.messageId);
    if (entry) this.#journalDone(session, entry);
    return entry?.packet;
  }

  outgoingStream(client: Client): Readable {
    const session = this.sessions.get(client.id);
    return Readable.from(session && !client.clean ? session.drain(client) : []);
  }

  /** May this live message be written to the client now? No: it is, or will be, sent from the queue in order. */
  admit(client: Client, packet: Packet): boolean {
    if (client.clean || packet.qos === 0 || packet.messageId !== undefined) return true;
    return this.sessions.get(client.id)?.admit(client, packet) ?? true;
  }

  // --- QoS 2 from devices, wills ---

  async incomingStorePacket(client: { id: string }, packet: Packet): Promise<void> {
    const store = this.#incoming.get(client.id) ?? new Map<number, Packet>();
    store.set(packet.messageId as number, packet);
    this.#incoming.set(client.id, store);
  }

  async incomingGetPacket(client: { id: string }, packet: Packet): Promise<Packet> {
    const found = this.#incoming.get(client.id)?.get(packet.messageId as number);
    if (!found) throw new Error('no such packet');
    return found;
  }

  async incomingDelPacket(client: { id: string }, packet: Packet): Promise<void> {
    if (!this.#incoming.get(client.id)?.delete(packet.messageId as number)) throw new Error('no such packet');
  }

  async cleanIncoming(client: { id: string }): Promise<void> {
    this.#incoming.delete(client.id);
  }

  async putWill(client: { id: string }, packet: Packet): Promise<void> {
    packet.brokerId = this.#broker.id;
    packet.clientId = client.id;
    this.#wills.set(client.id, packet);
  }

  async getWill(client: { id: string }): Promise<Packet | undefined> {
    return this.#wills.get(client.id);
  }

  async delWill(client: { id: string }): Promise<Packet | undefined> {
    const will = this.#wills.get(client.id);
    this.#wills.delete(client.id);
    return will;
  }

  streamWill(): Readable {
    return Readable.from([]); // one broker: wills are published when their connection ends
  }

  async destroy(): Promise<void> {}

  // --- presence ---

  setOnline(serial: string, online: boolean): void {
    if (online === this.online.has(serial)) return;
    if (online) this.online.add(serial);
    else this.online.delete(serial);
    this.#o.journal?.append([online ? 'up' : 'down', serial]);
  }

  // --- journal ---

  apply(op: Op): void {
    const [kind, a, b, c, d, e] = op as [string, string, never, never, never, number];
    if (kind === 'retain') this.#keepRetained(stored(a, b, c, true));
    else if (kind === 'sub') this.open(a).filters.set(b, c);
    else if (kind === 'unsub') this.sessions.get(a)?.filters.delete(b);
    else if (kind === 'purge') this.purge(a);
    else if (kind === 'msg') this.#restore(a, Number(b), stored(c, 1, d, false), e === 1);
    else if (kind === 'done') this.sessions.get(a)?.forget(Number(b));
    else if (kind === 'up') this.online.add(a);
    else if (kind === 'down') this.online.delete(a);
  }

  #restore(clientId: string, jid: number, packet: Packet, sent: boolean): void {
    this.open(clientId).restore(jid, packet, sent);
    if (jid >= this.#nextJid) this.#nextJid = jid + 1;
  }

  /** The whole state as operations: what a clean stop leaves behind and what the journal is rewritten to. */
  *dump(exact: boolean): Iterable<Op> {
    for (const topics of this.#retained.values())
      for (const packet of topics.values()) yield retainOp(packet);
    for (const serial of this.online) yield ['up', serial];
    for (const session of this.sessions.values()) {
      for (const [filter, qos] of session.filters) yield ['sub', session.clientId, filter, qos];
      for (const entry of session.entries()) {
        entry.jid ??= this.#nextJid++;
        yield messageOp(session.clientId, entry.jid, entry.packet, entry.sent || !exact);
      }
    }
    for (const { ops } of this.#transit.values()) yield* ops;
    for (const { ops } of this.#announced) yield* ops;
  }
}

function retainOp({ topic, qos, payload }: Packet): Op {
  return ['retain', topic, qos, payload.toString('latin1')];
}

/** `maybeSent`: whether its client got it will not be known after a crash; DUP is how MQTT says "perhaps". */
function messageOp(clientId: string, jid: number, packet: Packet, maybeSent: boolean): Op {
  return ['msg', clientId, jid, packet.topic, packet.payload.toString('latin1'), maybeSent ? 1 : 0];
}

function stored(topic: string, qos: number, payload: string, retain: boolean): Packet {
  return {
    cmd: 'publish',
    topic,
    qos,
    retain,
    dup: false,
    payload: Buffer.from(payload, 'latin1'),
  } as Packet;
}
