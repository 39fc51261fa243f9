import type { Device } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { DeviceSnapshot } from './device-snapshot.svelte.ts';
import { readCommand, readFleet, readPresence, readShadow, readTelemetry } from './live-events.ts';

const T = Date.parse('2026-11-22T12:00:00.000Z');
const iso = (ms: number) => new Date(T + ms).toISOString();

function row(change: Partial<Device> = {}): Device {
  return {
    serial_no: 'EC-1',
    online_window_s: 300,
    connected: true,
    last_seen: iso(0),
    reported_at: iso(0),
    shadow_reported: { temp: 21, co2: 900 },
    older: {},
    ...change,
  } as Device;
}

describe('a device on the screen', () => {
  it('goes offline by itself when its window has passed', () => {
    const device = new DeviceSnapshot(row());
    expect(device.status(T + 299_000)).toBe('online');
    expect(device.status(T + 300_000)).toBe('offline');
    expect(new DeviceSnapshot(row({ last_seen: null })).status(T)).toBe('never_seen');
  });

  it('takes newer values and keeps those the packet did not carry, with their own age', () => {
    const device = new DeviceSnapshot(row());
    device.apply({ ts: T + 5000, data: { temp: 22 }, lastSeen: T + 5000 });
    expect(device.values.get('temp')).toEqual({ value: 22, at: T + 5000 });
    expect(device.values.get('co2')).toEqual({ value: 900, at: T });
    expect(device.lastSeen).toBe(T + 5000);
  });

  it('never lets late news replace what is current', () => {
    const device = new DeviceSnapshot(row());
    device.apply({ ts: T - 60_000, data: { temp: 5, hum: 40 }, lastSeen: T - 60_000 });
    expect(device.values.get('temp')?.value).toBe(21);
    expect(device.values.get('hum')?.value).toBe(40);
    expect(device.lastSeen).toBe(T);
    device.refresh(row({ reported_at: iso(-1000), shadow_reported: { temp: 1 } }));
    expect(device.values.get('temp')?.value).toBe(21);
  });

  it('knows the age of values that the newest packet did not carry', () => {
    const device = new DeviceSnapshot(row({ older: { co2: iso(-400_000) } }));
    expect(device.isStale(device.values.get('co2')!, T)).toBe(true);
    expect(device.isStale(device.values.get('temp')!, T)).toBe(false);
    expect(device.isStale(device.values.get('temp')!, T + 300_000)).toBe(true);
  });

  it('counts a move only when a value moved', () => {
    const device = new DeviceSnapshot(row());
    const before = device.movedAt;
    device.apply({ connected: false });
    device.refresh(row());
    expect(device.movedAt).toBe(before);
    device.apply({ ts: T + 1, data: { temp: 21 } });
    expect(device.movedAt).toBe(before + 1);
  });
});

describe('live messages', () => {
  it('are read as they are promised', () => {
    const item = { serial: 'EC-1', ts: iso(0), last_seen: iso(10), status: 'online' };
    expect(readTelemetry({ ...item, data: { temp: 1 } })).toEqual({
      serial: 'EC-1',
      ts: T,
      lastSeen: T + 10,
      data: { temp: 1 },
    });
    expect(readFleet({ devices: [{ ...item, values: {} }] })).toHaveLength(1);
    expect(readPresence({ serial: 'EC-1', connected: false, status: 'offline' })).toEqual({
      serial: 'EC-1',
      connected: false,
    });
  });

  it.each([
    null,
    'text',
    [],
    {},
    { devices: 'x' },
    { devices: [null, { serial: 1 }, { serial: 'a', ts: 'never', values: {} }] },
  ])('that make no sense are ignored: %j', (payload) => {
    expect(readTelemetry(payload)).toBeNull();
    expect(readFleet(payload)).toEqual([]);
    expect(readPresence(payload)).toBeNull();
  });
});

describe('a device that comes and goes', () => {
  it('is there while its session is open, or while it asks over HTTPS by itself', () => {
    expect(new DeviceSnapshot(row({ last_door: 'mqtt' })).isThere(T + 1000)).toBe(true);
    expect(new DeviceSnapshot(row({ last_door: 'mqtt', connected: false })).isThere(T + 1000)).toBe(false);
    expect(new DeviceSnapshot(row({ last_door: 'https', connected: false })).isThere(T + 1000)).toBe(true);
    expect(new DeviceSnapshot(row({ last_door: 'https' })).isThere(T + 300_000)).toBe(false);
  });

  it('knows since when it is back, when the page saw it return', () => {
    const now = Date.now();
    const device = new DeviceSnapshot(row({ last_seen: new Date(now).toISOString(), last_door: 'mqtt' }));
    expect(device.backAt).toBeNull();
    device.apply({ connected: false });
    device.apply({ connected: true });
    expect(device.backAt).toBeGreaterThanOrEqual(now);
    device.apply({ connected: false });
    expect(device.backAt).toBeNull();
  });

  it('takes the whole reported document of a live message, times and all, and forgets what is gone from it', () => {
    const device = new DeviceSnapshot(row());
    const event = readTelemetry({
      ...{ serial: 'EC-1', ts: iso(0), last_seen: iso(900), connected: true, data: { temp: 21 } },
      ...{ reported: { temp: 21, setpoint: 22 }, older: { setpoint: iso(800), odd: 'never' } },
    });
    device.apply(event!);
    expect(device.values.get('setpoint')).toEqual({ value: 22, at: T + 800 });
    expect(device.values.has('co2')).toBe(false);
    expect(device.values.get('temp')).toEqual({ value: 21, at: T });
  });
});

describe('live messages about control', () => {
  it('are read as they are promised, or not at all', () => {
    const shadow = { serial: 'EC-1', desired: { relay: true }, desired_version: 4, delta: {}, at: iso(0) };
    expect(readShadow(shadow)).toEqual({ serial: 'EC-1', desired: { relay: true }, version: 4, at: T });
    expect(readCommand({ serial: 'EC-1', id: 'c', state: 'sent', type: 'x' })).toEqual({
      ...{ serial: 'EC-1', id: 'c', state: 'sent' },
    });
    for (const odd of [null, [], { ...shadow, desired: [] }, { ...shadow, at: 'never' }, { serial: 'EC-1' }])
      expect(readShadow(odd)).toBeNull();
    for (const odd of [null, {}, { serial: 'EC-1', id: 'c', state: 'lost' }])
      expect(readCommand(odd)).toBeNull();
  });
});
