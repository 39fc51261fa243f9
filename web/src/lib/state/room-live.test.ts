import { ConnectionError, NotFoundError, type RoomClimate, type TelemetryBuckets } from '@edgeconductor/sdk';
import { describe, expect, it, vi } from 'vitest';
import { RoomLive } from './room-live.svelte.ts';

const room = (temp: number) => ({ id: 'r', name: 'Room 204', values: { temp } }) as unknown as RoomClimate;
const day: TelemetryBuckets = { bucket_s: 300, from: '', to: '', series: { temp: [[0, 20, 21, 22]] } };
const missing = () =>
  new NotFoundError('x', {
    status: 404,
    code: 'not_found',
    issues: [],
    retryAfter: null,
    requestId: null,
    problem: { title: 'Not found' },
  });

describe('a tenant’s room', () => {
  it('keeps the last reading through an outage, and says why it is old', async () => {
    const ask = vi.fn<() => Promise<RoomClimate>>().mockRejectedValueOnce(new ConnectionError('down'));
    const live = new RoomLive(room(21), ask);
    await live.look();
    expect(live.current.values).toEqual({ temp: 21 });
    expect(live.failure?.code).toBe('unreachable');
    expect(live.gone).toBe(false);
    ask.mockResolvedValueOnce(room(22));
    await live.look();
    expect(live.current.values).toEqual({ temp: 22 });
    expect(live.failure).toBeNull();
  });

  it('is closed to somebody who moved out', async () => {
    const live = new RoomLive(room(21), () => Promise.reject(missing()));
    await live.look();
    expect(live.gone).toBe(true);
  });

  it('draws the day anew every five minutes, and keeps the drawn one when that fails', async () => {
    vi.useFakeTimers();
    const climate = vi.fn<() => Promise<TelemetryBuckets>>().mockRejectedValue(new ConnectionError('down'));
    const live = new RoomLive(room(21), async () => room(22), {
      first: Promise.resolve({ data: day, problem: null }),
      fetch: climate,
    });
    await vi.advanceTimersByTimeAsync(0);
    await live.look();
    expect(climate).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(300_000);
    await live.look();
    expect(climate).toHaveBeenCalledTimes(1);
    expect(live.climate?.data).toBe(day);
    vi.useRealTimers();
  });
});
