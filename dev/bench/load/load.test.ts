import { parsePacket, createArrivalClock } from '@edgeconductor/sdk/contract';
import fc from 'fast-check';
import { parser, type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { AckReader, connectPacket, payload, publishRoom, telemetryTopic, writePublish } from './frames.ts';
import { Ledger, PacketIds } from './ledger.ts';
import { closedLoop, dueAt, openLoop } from './pace.ts';

function decode(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  const reader = parser({ protocolVersion: 4 });
  reader.on('packet', (packet: Packet) => packets.push(packet));
  reader.on('error', (error: Error) => {
    throw error;
  });
  reader.parse(bytes);
  return packets;
}

describe('the packets of the load generator', () => {
  it('are the MQTT any broker reads', () => {
    const buffer = Buffer.alloc(4_096);
    const topic = telemetryTopic('EC-BENCH-00017');
    let end = 0;
    for (let n = 1; n <= 9; n++) end = writePublish(buffer, end, topic, n, payload(17, n * 1_000));
    const packets = decode(buffer.subarray(0, end));
    expect(packets).toHaveLength(9);
    expect(packets[8]).toMatchObject({
      cmd: 'publish',
      qos: 1,
      dup: false,
      retain: false,
      messageId: 9,
      topic: 'devices/EC-BENCH-00017/telemetry',
    });
    expect(end / 9).toBeLessThan(publishRoom(topic));
    const login = { clientId: 'EC-1', username: 'EC-1', password: 'ec_dev_1', keepaliveS: 60 };
    expect(decode(connectPacket(login))[0]).toMatchObject({
      cmd: 'connect',
      clientId: 'EC-1',
      username: 'EC-1',
      password: Buffer.from('ec_dev_1'),
      clean: true,
      keepalive: 60,
      protocolVersion: 4,
    });
  });

  it('carry the payload of the product page, with uptime as the counter', () => {
    const { readings, rejects } = parsePacket(payload(3, 123_456), createArrivalClock());
    expect(rejects).toEqual([]);
    expect(Object.keys(readings[0]!.d)).toEqual([
      'temp',
      'hum',
      'co2',
      'relay',
      'bat',
      'signal',
      'uptime',
      'heap',
    ]);
    expect(readings[0]).toMatchObject({ d: { uptime: 123_456 }, t: null, q: null });
    expect(payload(3, 123_456).length).toBeLessThan(150);
  });

  it('never make a reading deviate from its own mean', () => {
    const values = Array.from({ length: 200 }, (_, n) => JSON.parse(payload(1, n)) as Record<string, number>);
    for (const key of ['temp', 'hum', 'co2', 'bat']) {
      const all = values.map((value) => value[key]!);
      expect(Math.max(...all) / Math.min(...all)).toBeLessThan(1.15);
    }
  });

  it('are acknowledged however the stream is cut', () => {
    const acks = [1, 2, 700, 65_535];
    const stream = Buffer.concat([
      Buffer.from([0x20, 2, 0, 0]),
      ...acks.map((id) => Buffer.from([0x40, 2, id >> 8, id & 0xff])),
      Buffer.from([0xd0, 0]),
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (cuts) => {
        const seen: number[] = [];
        const codes: number[] = [];
        const reader = new AckReader(
          (code) => codes.push(code),
          (id) => seen.push(id),
        );
        let at = 0;
        for (let i = 0; at < stream.length; at += cuts[i++ % cuts.length]!)
          reader.read(stream.subarray(at, Math.min(stream.length, at + cuts[i % cuts.length]!)));
        expect(codes).toEqual([0]);
        expect(seen).toEqual(acks);
      }),
    );
  });
});

describe('the books of the load generator', () => {
  it('count what was sent and what was acknowledged, per device', () => {
    const ledger = new Ledger(3);
    const ids = new PacketIds();
    const taken = [0, 1, 2, 0, 1].map((device) => {
      ledger.send(device);
      return ids.take(device);
    });
    for (const id of taken.slice(0, 4)) ledger.ack(ids.release(id)!);
    expect([...ledger.sent]).toEqual([2, 2, 1]);
    expect([...ledger.acked]).toEqual([2, 1, 1]);
    expect(ledger.inFlight).toBe(1);
  });

  it('do not count an acknowledgement twice', () => {
    const ids = new PacketIds();
    const id = ids.take(5);
    expect(ids.release(id)).toBe(5);
    expect(ids.release(id)).toBeUndefined();
  });

  it('use every packet id but 0, and say so when none is free', () => {
    const ids = new PacketIds();
    const all = Array.from({ length: PacketIds.SPACE }, () => ids.take(1));
    expect(Math.min(...all)).toBe(1);
    expect(new Set(all).size).toBe(PacketIds.SPACE);
    expect(() => ids.take(1)).toThrow(/window/);
    ids.release(1);
    expect(ids.take(1)).toBe(1);
  });
});

describe('the pace', () => {
  it('holds a window open in a closed loop and stops at its number or time', () => {
    const pace = closedLoop(0, 100, { readings: 1_000, seconds: 10 });
    expect(pace.allowed(1, 0)).toBe(100);
    expect(pace.allowed(1, 950)).toBe(1_000);
    expect(pace.done(1, 999)).toBe(false);
    expect(pace.done(1, 1_000)).toBe(true);
    expect(pace.done(10_000, 5)).toBe(true);
  });

  it('goes by the clock in an open loop, whatever is acknowledged', () => {
    const pace = openLoop(1_000, 500, 2);
    expect(pace.allowed(1_000, 0)).toBe(1);
    expect(pace.allowed(2_000, 0)).toBe(501);
    expect(pace.allowed(99_000, 0)).toBe(1_000);
    expect(pace.done(99_000, 999)).toBe(false);
    expect(pace.done(99_000, 1_000)).toBe(true);
  });

  it('knows when a stored reading was due', () => {
    // 4 devices at 8 readings/s: device 3's second reading is the 8th, due after 7/8 s.
    expect(dueAt(8, 4, 3, 2)).toBe(875);
    expect(dueAt(8, 4, 0, 1)).toBe(0);
  });
});
