import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestBroker } from './support/broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await TestBroker.start();
});
afterAll(() => broker.stop());
afterEach(() => broker.forget());

describe('a virtual device that is told to do something', () => {
  const cmd = (serial: string, body: unknown): void =>
    broker.send(`devices/${serial}/cmd`, JSON.stringify(body));
  const acks = (serial: string): unknown[] => broker.bodies(`devices/${serial}/cmd/ack`);
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const isOn = (serial: string): Promise<void> =>
    vi.waitFor(() => expect(broker.telemetry(serial).length).toBeGreaterThan(0));

  it('does it once for an id and answers every time', async () => {
    const { device, events } = broker.climate('EC-K-1');
    device.start();
    await isOn('EC-K-1');
    for (let n = 0; n < 3; n++) cmd('EC-K-1', { id: 'a', type: 'ping', payload: 5, expires_at: later });
    cmd('EC-K-1', { id: 'b', type: 'fly', expires_at: later });
    await vi.waitFor(() => expect(acks('EC-K-1')).toHaveLength(4));
    expect(acks('EC-K-1').slice(2)).toEqual([
      { id: 'a', ok: true, result: { pong: 5 } },
      { id: 'b', ok: false, result: { reason: 'unknown_command' } },
    ]);
    expect(events.filter(({ kind }) => kind === 'commanded')).toHaveLength(2);
  });

  it('does nothing that is over, and nothing that is no command', async () => {
    const { device } = broker.climate('EC-K-2');
    device.start();
    await isOn('EC-K-2');
    cmd('EC-K-2', { id: 'old', type: 'ping', expires_at: new Date(Date.now() - 1).toISOString() });
    for (const bad of [{ type: 'ping' }, { id: 5, type: 'ping' }, [], 'ping', null]) cmd('EC-K-2', bad);
    cmd('EC-K-2', { id: 'new', type: 'ping', expires_at: later });
    await vi.waitFor(() => expect(acks('EC-K-2')).toEqual([{ id: 'new', ok: true, result: { pong: null } }]));
  });

  it('restarts once, comes back with the reason, and still knows what it did', async () => {
    const { device, events } = broker.climate('EC-K-3');
    device.start();
    await isOn('EC-K-3');
    cmd('EC-K-3', { id: 'r', type: 'reboot', expires_at: later });
    await vi.waitFor(() =>
      expect(broker.telemetry('EC-K-3').at(-1)).toMatchObject({ uptime: 0, reboot_reason: 'SW' }),
    );
    cmd('EC-K-3', { id: 'r', type: 'reboot', expires_at: later });
    await vi.waitFor(() => expect(acks('EC-K-3')).toHaveLength(2));
    expect(events.filter(({ kind }) => kind === 'restarted')).toHaveLength(1);
  });

  it('a press sets values now, without their becoming desired', async () => {
    const { device } = broker.climate('EC-K-4');
    device.start();
    await isOn('EC-K-4');
    cmd('EC-K-4', { id: 'p', type: 'set', payload: { setpoint: 25 }, expires_at: later });
    cmd('EC-K-4', { id: 'q', type: 'set', payload: { colour: 'red' }, expires_at: later });
    await vi.waitFor(() =>
      expect(acks('EC-K-4')).toEqual([
        { id: 'p', ok: true, result: { setpoint: 25 } },
        { id: 'q', ok: false, result: { reason: 'nothing_to_set' } },
      ]),
    );
    expect(broker.bodies('devices/EC-K-4/shadow/reported')).toEqual([{ setpoint: 25 }]);
  });

  it('is silent or refuses when it is told to, and does in the end what is still desired', async () => {
    const { device } = broker.climate('EC-K-5', { faults: { silent: true } });
    device.start();
    await isOn('EC-K-5');
    broker.document('EC-K-5', 1, { setpoint: 24 });
    cmd('EC-K-5', { id: 's', type: 'ping', expires_at: later });
    const sent = broker.telemetry('EC-K-5').length;
    await vi.waitFor(() => expect(broker.telemetry('EC-K-5').length).toBeGreaterThan(sent + 2));
    device.break({ refuses: true });
    broker.document('EC-K-5', 1, { setpoint: 24 });
    cmd('EC-K-5', { id: 't', type: 'ping', expires_at: later });
    await vi.waitFor(() =>
      expect(acks('EC-K-5')).toEqual([{ id: 't', ok: false, result: { reason: 'refused' } }]),
    );
    expect(broker.bodies('devices/EC-K-5/shadow/reported')).toEqual([]);
    device.break({});
    broker.document('EC-K-5', 1, { setpoint: 24 });
    await vi.waitFor(() =>
      expect(broker.bodies('devices/EC-K-5/shadow/reported')).toEqual([{ setpoint: 24 }]),
    );
  });

  it('obeys the newest version of desired, and asks when a document without one says something else', async () => {
    const { device } = broker.climate('EC-K-6');
    device.start();
    await isOn('EC-K-6');
    broker.document('EC-K-6', 3, { setpoint: 23 });
    broker.document('EC-K-6', 2, { setpoint: 18 });
    broker.document('EC-K-6', 3, { setpoint: 23 });
    const asked = (): number =>
      broker.seen.filter(({ topic }) => topic === 'devices/EC-K-6/shadow/get').length;
    const before = asked();
    broker.send('devices/EC-K-6/shadow/desired', '{"setpoint":12}');
    await vi.waitFor(() => expect(asked()).toBe(before + 1), 5_000);
    broker.document('EC-K-6', 4, { setpoint: 26 });
    await vi.waitFor(() =>
      expect(broker.bodies('devices/EC-K-6/shadow/reported')).toEqual([{ setpoint: 23 }, { setpoint: 26 }]),
    );
  });
});
