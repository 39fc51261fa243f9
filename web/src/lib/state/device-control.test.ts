import { ConflictError, type Device, type DeviceShadow } from '@edgeconductor/sdk';
import { mergeShadow } from '@edgeconductor/sdk/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeviceControl } from './device-control.svelte.ts';
import { DeviceLive } from './device-live.svelte.ts';
import type { LiveHub } from './live-hub.svelte.ts';

const T = Date.parse('2026-11-22T12:00:00.000Z');
const iso = () => new Date().toISOString();

/** The platform, as far as a page sees it: one document, versions, and refusals of stale ones. */
function platform(desired: Record<string, unknown>, reported: Record<string, unknown> = {}) {
  let document = desired;
  let version = 1;
  const patches: Record<string, unknown>[] = [];
  const row = () =>
    ({
      ...{ serial_no: 'EC-1', online_window_s: 300, connected: true, last_door: 'mqtt', last_seen: iso() },
      ...{ reported_at: iso(), shadow_reported: reported, older: {}, desired_times: {} },
      ...{ shadow_desired: document, desired_version: version },
    }) as unknown as Device;
  const change = (patch: Record<string, unknown>) => {
    document = mergeShadow(document, patch);
    version += 1;
  };
  const doors = {
    send: vi.fn(async (patch: Record<string, unknown>, ifVersion: number): Promise<DeviceShadow> => {
      if (ifVersion !== version) throw stale();
      patches.push(patch);
      change(patch);
      return { desired: document, desired_version: version, desired_times: {} } as DeviceShadow;
    }),
    fetch: vi.fn(async () => row()),
  };
  const hub = { watch: () => () => {} } as unknown as LiveHub;
  const live = new DeviceLive(row(), hub, doors.fetch);
  const control = new DeviceControl(live, doors, () => 10_000);
  return { control, live, doors, patches, change, document: () => document };
}

const stale = () => {
  const problem = { title: 'Someone else changed it first' };
  const rest = { requestId: 'r', issues: [], retryAfter: null, problem };
  return new ConflictError('stale', { status: 409, code: 'stale_version', ...rest });
};
const phase = (control: DeviceControl, key: string) => control.state(key, Date.now()).phase;
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers({ now: T }));
afterEach(() => void vi.useRealTimers());

describe('setting something on a device', () => {
  it('shows at once, is sent, and is pending until the device says the same', async () => {
    const { control, live, patches } = platform({ relay: false }, { relay: false });
    control.set('relay', true);
    expect(control.state('relay', T)).toMatchObject({ phase: 'sending', shown: true });
    await settle();
    expect(patches).toEqual([{ relay: true }]);
    expect(control.state('relay', T)).toMatchObject({ phase: 'pending', shown: true });
    live.snapshot.apply({ ts: T + 500, data: { relay: true }, lastSeen: T + 500 });
    expect(phase(control, 'relay')).toBe('in_step');
  });

  it('waits until a number has come to rest, and sends the last one only', async () => {
    const { control, patches } = platform({ setpoint: 20 });
    for (const value of [20.5, 21, 21.5]) {
      control.set('setpoint', value, 400);
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(patches).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(patches).toEqual([{ setpoint: 21.5 }]);
  });

  it('sends what was set while the one before was on its way, and never two at once', async () => {
    const { control, doors, patches } = platform({ relay: false });
    let answer = () => {};
    doors.send.mockImplementationOnce(
      (patch) =>
        new Promise((resolve) => {
          patches.push(patch);
          answer = () =>
            resolve({
              desired: { relay: true },
              desired_version: 1,
              desired_times: {},
            } as unknown as DeviceShadow);
        }),
    );
    control.set('relay', true);
    await settle();
    control.set('relay', false);
    await settle();
    expect(patches).toEqual([{ relay: true }]);
    answer();
    await settle();
    await settle();
    expect(patches).toEqual([{ relay: true }, { relay: false }]);
    expect(control.refusal('relay')).toBeNull();
  });

  it('removes a key, and changes an object key by key', async () => {
    const { control, patches } = platform({ led: true, pid: { kp: 1, ki: 2 } }, { pid: { kp: 5 } });
    control.set('led', undefined);
    control.giveUp('pid');
    await settle();
    expect(patches).toEqual([{ led: null, pid: { kp: 5, ki: null } }]);
  });
});

describe('somebody else at the same time', () => {
  it('who changed another key costs nothing: both changes stand', async () => {
    const { control, change, document } = platform({ relay: false, mode: 'auto' });
    change({ mode: 'eco' });
    control.set('relay', true);
    await settle();
    expect(document()).toEqual({ relay: true, mode: 'eco' });
    expect(control.refusal('relay')).toBeNull();
  });

  it('who changed the same key is not overwritten unseen', async () => {
    const { control, change, document } = platform({ setpoint: 20 });
    change({ setpoint: 19 });
    control.set('setpoint', 22);
    await settle();
    expect(document()).toEqual({ setpoint: 19 });
    expect(control.refusal('setpoint')).toEqual({ problem: null, theirs: true, value: 19 });
    expect(control.state('setpoint', T)).toMatchObject({ phase: 'refused', shown: 19 });
    control.again('setpoint');
    await settle();
    expect(document()).toEqual({ setpoint: 22 });
    expect(control.refusal('setpoint')).toBeNull();
  });

  it('is noticed, too, when the news comes while a slider still moves', async () => {
    const { control, live, patches } = platform({ setpoint: 20 });
    control.set('setpoint', 22, 400);
    live.desired.hear({ serial: 'EC-1', version: 2, desired: { setpoint: 19 }, at: T });
    await vi.advanceTimersByTimeAsync(400);
    expect(patches).toEqual([]);
    expect(control.refusal('setpoint')).toMatchObject({ theirs: true, value: 19 });
  });

  it('who changes all the time ends in an explanation, not in a loop', async () => {
    const { control, doors } = platform({ relay: false });
    doors.send.mockRejectedValue(stale());
    control.set('relay', true);
    await settle();
    expect(doors.send).toHaveBeenCalledTimes(3);
    expect(control.refusal('relay')).toMatchObject({ problem: { code: 'stale_version' } });
  });
});

describe('when it does not work out', () => {
  it('a refusal leaves the control where it stood, and can be tried again or forgotten', async () => {
    const { control, doors, document } = platform({ relay: false });
    doors.send.mockRejectedValueOnce(new Error('no network'));
    control.set('relay', true);
    await settle();
    expect(control.state('relay', T)).toMatchObject({ phase: 'refused', shown: false });
    control.again('relay');
    await settle();
    expect(document()).toEqual({ relay: true });
    doors.send.mockRejectedValueOnce(new Error('no network'));
    control.set('relay', false);
    await settle();
    control.dismiss('relay');
    expect(phase(control, 'relay')).toBe('pending');
  });

  it('a device that does not follow has its time again when the wish is sent once more', async () => {
    const { control, patches } = platform({ relay: false }, { relay: false });
    control.set('relay', true);
    await settle();
    vi.advanceTimersByTime(10_000);
    expect(control.state('relay', Date.now())).toMatchObject({ phase: 'late', shown: false });
    control.again('relay');
    await settle();
    expect(patches).toEqual([{ relay: true }, { relay: true }]);
    expect(phase(control, 'relay')).toBe('pending');
    vi.advanceTimersByTime(10_000);
    control.giveUp('relay');
    await settle();
    expect(phase(control, 'relay')).toBe('in_step');
  });
});
