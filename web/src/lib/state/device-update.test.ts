import { describe, expect, it, vi } from 'vitest';
import { DeviceUpdate } from './device-update.svelte.ts';

const event = (state: string, percent: number | null = null) => ({
  serial: 'A',
  job_id: 'j1',
  number: 12,
  version: '1.3.0',
  state,
  percent,
  reason: null,
});

describe('the update of the device on the screen', () => {
  it('moves with every message, and steps only when its state changes', () => {
    const onstep = vi.fn();
    const update = new DeviceUpdate(onstep);
    update.hear(event('downloading', 10));
    update.hear(event('downloading', 60));
    expect(update.news?.percent).toBe(60);
    expect(update.running).toBe(true);
    expect(onstep).toHaveBeenCalledTimes(1);
    update.hear(event('rebooting'));
    update.hear(event('succeeded'));
    expect(onstep).toHaveBeenCalledTimes(3);
    expect(update.running).toBe(false);
  });

  it('ignores what it cannot read', () => {
    const update = new DeviceUpdate(() => expect.unreachable());
    for (const payload of [null, 'x', { state: 'succeeded' }, event('levitating')]) update.hear(payload);
    expect(update.news).toBeNull();
  });
});
