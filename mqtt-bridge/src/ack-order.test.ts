import { describe, expect, it } from 'vitest';
import { AckOrder } from './ack-order.ts';
import type { Incoming } from './session.ts';

const message = (messageId: number, generation = 1): Incoming => ({
  ...{ topic: 't', payload: Buffer.alloc(0), dup: false, retain: false },
  ...{ messageId, generation },
});

describe('AckOrder', () => {
  it('acknowledges in the order of arrival, however batches finish', () => {
    const acked: number[] = [];
    const order = new AckOrder((messages) => acked.push(...messages.map((m) => m.messageId)));
    const [a, b, c, d] = [1, 2, 3, 4].map((id) => order.take(message(id)));
    void order.finish([b!, d!]);
    expect(acked).toEqual([]);
    void order.finish([a!]);
    expect(acked).toEqual([1, 2]);
    void order.finish([c!]);
    expect(acked).toEqual([1, 2, 3, 4]);
    expect(order.waiting).toBe(0);
  });

  it('tells a batch when the broker was told, not earlier', async () => {
    const order = new AckOrder(() => {});
    const first = order.take(message(1));
    const second = order.take(message(2));
    let told = false;
    const finished = order.finish([second]).then(() => (told = true));
    await Promise.resolve();
    expect(told).toBe(false);
    void order.finish([first]);
    await finished;
    expect(told).toBe(true);
  });

  it('forgets messages of a former connection and does not keep their batches waiting', async () => {
    const acked: number[] = [];
    const order = new AckOrder((messages) => acked.push(...messages.map((m) => m.messageId)));
    const old = [order.take(message(1)), order.take(message(2))];
    const waiting = order.finish([old[1]!]);
    order.reset();
    await waiting;
    order.take(message(1, 2));
    await order.finish(old);
    expect(acked).toEqual([]);
    expect(order.waiting).toBe(1);
  });

  it('keeps its memory bounded over many messages', () => {
    let acked = 0;
    const order = new AckOrder((messages) => (acked += messages.length));
    const ahead = order.take(message(1));
    for (let i = 0; i < 20_000; i++) void order.finish([order.take(message(2))]);
    expect(acked).toBe(0);
    void order.finish([ahead]);
    expect(acked).toBe(20_001);
    expect(order.waiting).toBe(0);
  });
});
