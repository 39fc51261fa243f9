import type { AedesPublishPacket } from 'aedes';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Fleet, type Faults } from '../src/simulate/index.ts';
import { TestBroker } from './support/broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await TestBroker.start();
});
afterAll(() => broker.stop());
afterEach(() => broker.forget());

describe('a virtual device on MQTT', () => {
  it('says that it is there, then sends the packet of the product page at its beat with QoS 1', async () => {
    const { device } = broker.climate('EC-T-1');
    device.start();
    await vi.waitFor(() => expect(broker.telemetry('EC-T-1').length).toBeGreaterThan(3));
    expect(broker.seen[0]).toMatchObject({
      client: 'EC-T-1',
      topic: 'devices/EC-T-1/status',
      body: { online: true },
    });
    expect(broker.seen.every(({ qos }) => qos === 1)).toBe(true);
    expect(broker.telemetry('EC-T-1')[0]).toHaveProperty('co2');
    expect(broker.telemetry('EC-T-1')[0]).not.toHaveProperty('ts');
    await vi.waitFor(() => expect(device.counters.delivered).toBeGreaterThan(2));
  });

  it('numbers its packets, so that a lost one shows, and begins again with every start', async () => {
    const { device } = broker.climate('EC-T-10', { faults: { drop: 0.5 }, intervalS: 0.02 });
    const numbers = (): number[] =>
      broker
        .bodies('devices/EC-T-10/telemetry')
        .flat()
        .map((packet) => (packet as { seq: number }).seq);
    device.start();
    await vi.waitFor(() => expect(device.counters.dropped).toBeGreaterThan(5), 5_000);
    await vi.waitFor(() => expect(numbers().length).toBeGreaterThan(5));
    expect(new Set(numbers()).size).toBe(numbers().length);
    expect(Math.max(...numbers()) + 1).toBeGreaterThan(numbers().length + 3);
    broker.send('devices/EC-T-10/cmd', JSON.stringify({ id: 'r', type: 'reboot' }));
    const fell = (): boolean => numbers().some((n, i, all) => n < (all[i - 1] ?? 0));
    await vi.waitFor(() => expect(fell()).toBe(true), 5_000);
  });

  it('keeps its beat: one reading per interval, none twice, however late a busy machine is', async () => {
    const { device } = broker.climate('EC-T-9', { clock: true, intervalS: 0.1 });
    device.start();
    const started = Date.now();
    await vi.waitFor(() => expect(device.counters.sampled).toBeGreaterThan(11), 10_000);
    // Twice the rate was seen once: a timer that fires early must not make a beat of its own.
    expect(Date.now() - started).toBeGreaterThan(11 * 100 - 5);
    await vi.waitFor(() =>
      expect(broker.telemetry('EC-T-9').length + broker.batches('EC-T-9').flat().length).toBeGreaterThan(11),
    );
    const times = [
      ...(broker.batches('EC-T-9').flat() as { ts: number }[]),
      ...(broker.telemetry('EC-T-9') as { ts: number }[]),
    ];
    expect(new Set(times.map(({ ts }) => ts)).size).toBe(times.length);
  });

  it('trusts only the authority it was given', async () => {
    const other = await generate([{ name: 'commonName', value: 'elsewhere' }], { keySize: 2048 });
    const { device, events } = broker.climate('EC-T-2', { ca: other.cert });
    device.start();
    await vi.waitFor(() => expect(events.some(({ kind }) => kind === 'refused')).toBe(true));
    expect(broker.seen).toEqual([]);
  });

  it('keeps trying with a wrong secret and keeps its readings meanwhile', async () => {
    const { device, events } = broker.climate('EC-T-3', { password: 'wrong' });
    device.start();
    await vi.waitFor(() => expect(device.waiting).toBeGreaterThan(2));
    await vi.waitFor(() => expect(events.some(({ kind }) => kind === 'refused')).toBe(true));
    expect(broker.telemetry('EC-T-3')).toEqual([]);
  });

  it('loses no reading to a broken connection: they come later with their own time, in order', async () => {
    const { device } = broker.climate('EC-T-4');
    device.start();
    await vi.waitFor(() => expect(broker.telemetry('EC-T-4').length).toBeGreaterThan(1));
    broker.holding = true;
    await vi.waitFor(() => expect(device.counters.sampled - device.counters.delivered).toBeGreaterThan(3));
    broker.holding = false;
    broker.clients.get('EC-T-4')!.conn.destroy();
    await vi.waitFor(() => expect(broker.batches('EC-T-4').flat().length).toBeGreaterThan(3), 5_000);
    await vi.waitFor(() => expect(device.waiting).toBe(0));
    const late = broker.batches('EC-T-4').flat() as { ts: number }[];
    expect(late.length).toBeGreaterThan(3);
    expect(late.map(({ ts }) => ts)).toEqual(late.map(({ ts }) => ts).toSorted((a, b) => a - b));
    await device.stop();
    const delivered = broker.telemetry('EC-T-4').length + late.length;
    expect(delivered).toBeGreaterThanOrEqual(device.counters.sampled - 1);
    expect(delivered).toBeLessThanOrEqual(device.counters.sampled + 1);
  });

  it('leaves a last will when it is cut off, and says so itself when it leaves', async () => {
    const wills: string[] = [];
    const watch = (packet: AedesPublishPacket, done: () => void) => {
      wills.push(packet.payload.toString());
      done();
    };
    broker.aedes.subscribe('devices/EC-T-5/status', watch, () => undefined);
    const { device } = broker.climate('EC-T-5', { faults: { offline: { everyS: 1e9, forS: 0 } } });
    device.start();
    await vi.waitFor(() => expect(wills).toEqual(['{"online":true}']));
    broker.clients.get('EC-T-5')!.conn.destroy();
    await vi.waitFor(() => expect(wills.slice(1, 3)).toEqual(['{"online":false}', '{"online":true}']), 5_000);
    await device.stop();
    expect(wills.slice(3)).toEqual(['{"online":false}']);
    broker.aedes.unsubscribe('devices/EC-T-5/status', watch, () => undefined);
  });

  it('does what its shadow asks, confirms it at once and again with its telemetry', async () => {
    const { device } = broker.climate('EC-T-6');
    device.start();
    await vi.waitFor(() => expect(broker.telemetry('EC-T-6').length).toBeGreaterThan(0));
    broker.send('devices/EC-T-6/shadow/desired', '{"relay":true,"setpoint":23,"gpio5":1}', true);
    await vi.waitFor(() =>
      expect(broker.bodies('devices/EC-T-6/shadow/reported')).toEqual([{ relay: true, setpoint: 23 }]),
    );
    await vi.waitFor(() => expect(broker.telemetry('EC-T-6').at(-1)).toMatchObject({ relay: true }));
    broker.send('devices/EC-T-6/shadow/desired', '{"relay":false}', true);
    await vi.waitFor(() => expect(broker.telemetry('EC-T-6').at(-1)).toMatchObject({ relay: false }));
  });

  it('makes the faults it is told to make', async () => {
    const faults: Faults = { drop: 0.2, duplicate: 0.2, reorder: 0.2, garble: 0.2 };
    const { device } = broker.climate('EC-T-7', { faults, clock: true, intervalS: 0.01 });
    device.start();
    await vi.waitFor(() => expect(device.counters.sampled).toBeGreaterThan(120), 10_000);
    await device.stop();
    const sent = broker.bodies('devices/EC-T-7/telemetry') as { ts: number }[];
    const times = sent.map((packet) => packet.ts).filter((ts) => Number.isFinite(ts) && ts <= Date.now());
    expect(device.counters.dropped).toBeGreaterThan(5);
    expect(times.length - new Set(times).size).toBeGreaterThan(5);
    expect(times.some((ts, i) => i > 0 && ts < times[i - 1]!)).toBe(true);
    expect(sent.length - times.length).toBeGreaterThan(5);
  });

  it('sends with the time of its wrong clock', async () => {
    const { device } = broker.climate('EC-T-8', { faults: { skewMs: -3_600_000 } });
    device.start();
    await vi.waitFor(() => expect(broker.telemetry('EC-T-8').length).toBeGreaterThan(0));
    const { ts } = broker.telemetry('EC-T-8')[0] as { ts: number };
    expect(Math.abs(ts + 3_600_000 - Date.now())).toBeLessThan(5_000);
  });

  it('starts and stops as a fleet', async () => {
    const fleet = new Fleet(
      Array.from({ length: 40 }, (_, i) => broker.climate(`EC-F-${i}`, { intervalS: 0.2 }).device),
    );
    fleet.start(200);
    await vi.waitFor(() => expect(fleet.connected).toBe(40), 10_000);
    await vi.waitFor(() => expect(fleet.counters().delivered).toBeGreaterThan(80), 10_000);
    await fleet.stop();
    expect(fleet.connected).toBe(0);
    expect(fleet.counters().failed).toBe(0);
  });
});
