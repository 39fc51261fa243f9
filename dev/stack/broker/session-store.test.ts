import type { AedesPublishPacket, Client } from 'aedes';
import { describe, expect, it } from 'vitest';
import type { Op } from './journal.ts';
import { SessionStore } from './session-store.ts';

type Packet = AedesPublishPacket & { messageId?: number };

const BRIDGE = 'ec.bridge.ingest';
const client = (id: string): Client => ({ id, clean: false, closed: false, _nextId: 1 }) as unknown as Client;

class World {
  readonly ops: Op[] = [];
  readonly dropped: string[] = [];
  readonly broker = { id: 'b', counter: 0 };
  readonly store: SessionStore;

  constructor(ops: Op[] = []) {
    this.store = new SessionStore({
      journal: { append: (op) => this.ops.push(op), scope: 'all' },
      onDropped: (id) => this.dropped.push(id),
    });
    for (const op of ops) this.store.apply(op);
    void this.store.setup(this.broker);
  }

  async publish(topic: string, payload = 'x', retain = false): Promise<Packet> {
    const packet = {
      cmd: 'publish',
      topic,
      qos: 1,
      retain,
      dup: false,
      payload: Buffer.from(payload),
    } as Packet;
    packet.brokerId = this.broker.id;
    packet.brokerCounter = ++this.broker.counter;
    if (retain) await this.store.storeRetained(packet);
    await this.store.outgoingEnqueueCombi(this.store.targets(topic), packet);
    return packet;
  }

  /** As aedes does it: number it, note it, write it. */
  async write(to: Client, packet: Packet): Promise<Packet> {
    const numbered = to as unknown as { _nextId: number };
    const sent = { ...packet, messageId: packet.messageId ?? numbered._nextId++ } as Packet;
    await this.store.outgoingUpdate(to, sent);
    return sent;
  }

  async drain(to: Client): Promise<Packet[]> {
    const sent: Packet[] = [];
    await this.store.subscriptionsByClient(to);
    for await (const packet of this.store.outgoingStream(to))
      sent.push(await this.write(to, packet as Packet));
    return sent;
  }
}

const texts = (packets: Packet[]): string[] => packets.map(({ payload }) => payload.toString());

async function withBridge(): Promise<World> {
  const world = new World();
  await world.store.addSubscriptions({ id: BRIDGE }, [{ topic: 'devices/+/telemetry', qos: 1 } as never]);
  return world;
}

describe('a persistent session', () => {
  it('gets what came while it was away, in order, and not marked as sent before', async () => {
    const world = await withBridge();
    for (let i = 0; i < 5; i++) await world.publish('devices/EC-1/telemetry', String(i));
    const got = await world.drain(client(BRIDGE));
    expect(texts(got)).toEqual(['0', '1', '2', '3', '4']);
    expect(got.every(({ dup }) => !dup)).toBe(true);
  });

  it('gets unacknowledged ones again, marked, under their old ids, and no new one under a used id', async () => {
    const world = await withBridge();
    for (let i = 0; i < 3; i++) await world.publish('devices/EC-1/telemetry', String(i));
    const first = client(BRIDGE);
    const sent = await world.drain(first);
    await world.store.outgoingClearMessageId(first, { messageId: sent[0]?.messageId as number });
    await world.publish('devices/EC-1/telemetry', 'new');
    const again = await world.drain(client(BRIDGE));
    expect(texts(again)).toEqual(['1', '2', 'new']);
    expect(again.map(({ dup }) => dup)).toEqual([true, true, false]);
    expect(again.slice(0, 2).map(({ messageId }) => messageId)).toEqual(
      sent.slice(1).map(({ messageId }) => messageId),
    );
    expect(new Set(again.map(({ messageId }) => messageId)).size).toBe(3);
  });

  it('lets nothing overtake the queue while it drains, and sends nothing twice', async () => {
    const world = await withBridge();
    await world.publish('devices/EC-1/telemetry', 'queued');
    const bridge = client(BRIDGE);
    await world.store.subscriptionsByClient(bridge);
    const live = await world.publish('devices/EC-1/telemetry', 'live');
    expect(world.store.admit(bridge, live as never)).toBe(false);
    const sent: Packet[] = [];
    for await (const packet of world.store.outgoingStream(bridge))
      sent.push(await world.write(bridge, packet as Packet));
    expect(texts(sent)).toEqual(['queued', 'live']);
    expect(world.store.admit(bridge, live as never)).toBe(false);
    const later = await world.publish('devices/EC-1/telemetry', 'later');
    expect(world.store.admit(bridge, later as never)).toBe(true);
    expect(world.store.admit(bridge, later as never)).toBe(false);
  });

  it('of a device keeps the newest hundred messages and says what it drops', async () => {
    const world = new World();
    await world.store.addSubscriptions({ id: 'EC-1' }, [{ topic: 'devices/EC-1/#', qos: 1 } as never]);
    for (let i = 0; i < 130; i++) await world.publish('devices/EC-1/cmd', String(i));
    expect(world.dropped).toHaveLength(30);
    expect(texts(await world.drain(client('EC-1')))[0]).toBe('30');
  });

  it('never queues for a device what it may not receive', async () => {
    const world = await withBridge();
    await world.store.addSubscriptions({ id: 'EC-1' }, [{ topic: 'devices/EC-1/#', qos: 1 } as never]);
    await world.publish('devices/EC-1/telemetry');
    await world.publish('devices/EC-2/cmd');
    expect(await world.drain(client('EC-1'))).toEqual([]);
    expect(await world.drain(client(BRIDGE))).toHaveLength(1);
  });

  it('tells publishers to wait and lets them go in their order', async () => {
    const world = await withBridge();
    for (let i = 0; i < 3; i++) await world.publish('devices/EC-1/telemetry', String(i));
    const bridge = client(BRIDGE);
    const sent = await world.drain(bridge);
    const went: string[] = [];
    world.store.open(BRIDGE).whenBelow(3, () => went.push('a'));
    world.store.open(BRIDGE).whenBelow(3, () => went.push('b'));
    expect(went).toEqual([]);
    await world.store.outgoingClearMessageId(bridge, { messageId: sent[0]?.messageId as number });
    expect(went).toEqual(['a', 'b']);
  });
});

describe('the journal', () => {
  it('brings back retained messages, subscriptions and what is owed', async () => {
    const world = await withBridge();
    await world.publish('devices/EC-1/shadow/desired', '{"relay":true}', true);
    await world.publish('devices/EC-1/telemetry', 'owed');
    await world.publish('devices/EC-2/shadow/desired', '{"a":1}', true);
    await world.publish('devices/EC-2/shadow/desired', '', true);
    world.store.setOnline('EC-1', true);
    for (const ops of [world.ops, [...world.store.dump(false)]]) {
      const again = new World(ops);
      expect(texts(await again.drain(client(BRIDGE)))).toEqual(['owed']);
      const retained: Packet[] = [];
      for await (const packet of again.store.createRetainedStreamCombi(['devices/+/shadow/desired']))
        retained.push(packet as Packet);
      expect(texts(retained)).toEqual(['{"relay":true}']);
      expect([...again.store.online]).toEqual(['EC-1']);
    }
  });

  it('forgets what was acknowledged, whichever life it was journalled in', async () => {
    const world = await withBridge();
    await world.publish('devices/EC-1/telemetry', 'a');
    await world.publish('devices/EC-1/telemetry', 'b');
    const second = new World(world.ops);
    const bridge = client(BRIDGE);
    const [a] = await second.drain(bridge);
    await second.store.outgoingClearMessageId(bridge, { messageId: a?.messageId as number });
    await second.publish('devices/EC-1/telemetry', 'c');
    const third = new World([...world.ops, ...second.ops]);
    expect(texts(await third.drain(client(BRIDGE)))).toEqual(['b', 'c']);
  });

  it('holds a durable publish before it is acknowledged', async () => {
    const world = await withBridge();
    const packet = {
      cmd: 'publish',
      topic: 'devices/EC-1/telemetry',
      qos: 1,
      payload: Buffer.from('x'),
    } as Packet;
    const note = world.store.announce(packet);
    const crashed = new World(world.ops);
    expect(texts(await crashed.drain(client(BRIDGE)))).toEqual(['x']);
    // and a rewrite of the journal at this very moment keeps it, too
    expect(texts(await new World([...world.store.dump(false)]).drain(client(BRIDGE)))).toEqual(['x']);
    note?.arrive((packet.brokerCounter = ++world.broker.counter));
    await world.store.outgoingEnqueueCombi(world.store.targets(packet.topic), packet);
    expect(texts(await new World(world.ops).drain(client(BRIDGE)))).toEqual(['x']);
  });

  it('forgets a revoked device with everything it was owed', async () => {
    const world = new World();
    await world.store.addSubscriptions({ id: 'EC-1' }, [{ topic: 'devices/EC-1/cmd', qos: 1 } as never]);
    await world.publish('devices/EC-1/cmd', 'secret');
    world.store.purge('EC-1');
    expect(await new World(world.ops).drain(client('EC-1'))).toEqual([]);
  });
});
