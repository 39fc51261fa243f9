import type { Device } from '@edgeconductor/sdk';
import { expect, it, vi } from 'vitest';
import { DeviceLive } from './device-live.svelte.ts';
import type { LiveHub } from './live-hub.svelte.ts';

const iso = () => new Date().toISOString();
const row = (change: Partial<Device> = {}) =>
  ({
    ...{ serial_no: 'EC-1', online_window_s: 300, connected: false, last_door: 'mqtt', last_seen: iso() },
    ...{ reported_at: iso(), shadow_reported: {}, older: {}, shadow_desired: {}, desired_version: 1 },
    ...{ desired_times: {}, ...change },
  }) as Device;
const packet = (connected: boolean) => ({
  ...{ serial: 'EC-1', ts: iso(), last_seen: iso(), status: 'online', data: { temp: 1 } },
  connected,
});

function look(device: Device, fresh = device) {
  const hub = { watch: () => () => {} } as unknown as LiveHub;
  const live = new DeviceLive(device, hub, async () => fresh);
  return { live, hear: live.watch.event, poll: live.watch.poll };
}

it('a packet tells that a device is there which never says so itself', () => {
  const { live, hear } = look(row());
  expect(live.snapshot.isThere(Date.now())).toBe(false);
  hear('telemetry', packet(true));
  expect(live.snapshot.isThere(Date.now())).toBe(true);
});

it('a packet that was told after the goodbye does not bring the device back', () => {
  const { live, hear } = look(row({ connected: true }));
  hear('presence', { serial: 'EC-1', connected: false });
  hear('telemetry', packet(true));
  expect(live.snapshot.connected).toBe(false);
  hear('presence', { serial: 'EC-1', connected: true });
  expect(live.snapshot.connected).toBe(true);
});

it('what should be follows its events, and everybody who listens hears every event and every poll', async () => {
  const { live, hear, poll } = look(row(), row({ shadow_desired: { relay: false }, desired_version: 3 }));
  const [heard, polled] = [vi.fn(), vi.fn()];
  const stop = live.on('shadow', heard);
  live.on('poll', polled);
  const event = { serial: 'EC-1', desired: { relay: true }, desired_version: 2, at: iso() };
  hear('shadow', event);
  expect(live.desired.document).toEqual({ relay: true });
  expect(heard).toHaveBeenCalledWith(event);
  stop();
  hear('shadow', { ...event, serial: 'EC-2', desired: {}, desired_version: 9 });
  expect([heard.mock.calls.length, live.desired.version]).toEqual([1, 2]);
  await poll();
  expect(polled).toHaveBeenCalledTimes(1);
  expect(live.desired.document).toEqual({ relay: false });
});
