import type { Device, TelemetryBuckets } from '@edgeconductor/sdk';
import { ConnectionError } from '@edgeconductor/sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AccessToken } from './access-token.ts';
import { DeviceHistory, type HistoryQuery } from './device-history.svelte.ts';
import { Finder } from './finder.svelte.ts';
import { Toasts } from './toasts.svelte.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

describe('the access token', () => {
  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

  it('is asked for once, however many calls need it, and again shortly before it ends', async () => {
    const ask = vi.fn(async () => ({ access_token: 'a', expires_at: inSeconds(3600) }));
    const token = new AccessToken(ask);
    expect(await Promise.all([token.get(), token.get()])).toEqual(['a', 'a']);
    await token.get();
    expect(ask).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(3_550_000);
    await token.get();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is null when nobody is signed in, and a failure is not remembered', async () => {
    const ask = vi.fn().mockRejectedValueOnce(new Error('down')).mockResolvedValue(null);
    const token = new AccessToken(ask);
    await expect(token.get()).rejects.toThrow('down');
    expect(await token.get()).toBeNull();
  });
});

describe('the history of a device', () => {
  const empty: TelemetryBuckets = { bucket_s: 60, from: '', to: '', series: {} };
  const answers = (...list: Promise<TelemetryBuckets>[]) => {
    const queries: HistoryQuery[] = [];
    const fetch = (query: HistoryQuery) => {
      queries.push(query);
      return list[queries.length - 1] ?? Promise.resolve(empty);
    };
    return { queries, fetch };
  };

  it('asks for the range, or for the zoomed span instead', async () => {
    const { queries, fetch } = answers();
    const history = new DeviceHistory(24, ['temp'], fetch);
    await history.load();
    history.zoomTo({ from: 900_000, to: 100_000 });
    history.zoomOut();
    expect(queries).toEqual([
      { hours: 24, metrics: ['temp'] },
      { from: 100_000, to: 900_000, metrics: ['temp'] },
      { hours: 24, metrics: ['temp'] },
    ]);
  });

  it('takes a drag of less than a minute for a slip', () => {
    const history = new DeviceHistory(24, ['temp'], answers().fetch);
    history.zoomTo({ from: 0, to: 59_000 });
    expect(history.zoom).toBeNull();
  });

  it('lets the newest question win over a slower older answer', async () => {
    let finishFirst: (buckets: TelemetryBuckets) => void = () => {};
    const first = new Promise<TelemetryBuckets>((resolve) => (finishFirst = resolve));
    const { fetch } = answers(first, Promise.resolve({ ...empty, bucket_s: 10 }));
    const history = new DeviceHistory(24, ['temp'], fetch);
    const slow = history.load();
    history.setRange(1);
    await vi.advanceTimersByTimeAsync(0);
    finishFirst({ ...empty, bucket_s: 999 });
    await slow;
    expect(history.loaded?.data?.bucket_s).toBe(10);
  });

  it('keeps the last good answer when a refresh fails', async () => {
    const { fetch } = answers(Promise.resolve(empty), Promise.reject(new ConnectionError('down')));
    const history = new DeviceHistory(24, ['temp'], fetch);
    await history.load();
    await history.load();
    expect(history.loaded?.data).toEqual(empty);
  });

  it('fetches a metric when it is switched on, not when it is switched off', () => {
    const { queries, fetch } = answers();
    const history = new DeviceHistory(24, ['temp', 'hum'], fetch);
    history.toggle('hum');
    expect(queries).toHaveLength(0);
    history.toggle('co2');
    expect(queries[0]?.metrics).toEqual(['temp', 'co2']);
  });
});

describe('finding a device', () => {
  it('waits for a pause in typing and shows what belongs to the last words', async () => {
    const search = vi.fn(async (q: string) => [{ serial_no: q } as Device]);
    const finder = new Finder(search);
    finder.ask('l');
    finder.ask('la');
    finder.ask(' lab ');
    expect(finder.searching).toBe(true);
    await vi.advanceTimersByTimeAsync(200);
    expect(search.mock.calls).toEqual([['lab']]);
    expect(finder.devices.map((device) => device.serial_no)).toEqual(['lab']);
    finder.ask('');
    expect(finder.devices).toEqual([]);
  });

  it('finds nothing when the search fails', async () => {
    const finder = new Finder(() => Promise.reject(new ConnectionError('down')));
    finder.ask('lab');
    await vi.advanceTimersByTimeAsync(200);
    expect(finder.searching).toBe(false);
    expect(finder.devices).toEqual([]);
  });
});

describe('toasts', () => {
  it('leave by themselves', () => {
    const toasts = new Toasts();
    toasts.show('ok', 'Done');
    expect(toasts.list.map((toast) => toast.text)).toEqual(['Done']);
    vi.advanceTimersByTime(6000);
    expect(toasts.list).toEqual([]);
  });
});
