import type { DeviceDiagnostics } from '@edgeconductor/sdk';
import { ConnectionError } from '@edgeconductor/sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DiagnosticsLive } from './diagnostics-live.svelte.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

const answer = (hours: number, at = ''): DeviceDiagnostics => ({ hours, at }) as DeviceDiagnostics;

describe('the diagnostics on screen', () => {
  it('begin with what the page was rendered with, and ask for another range', async () => {
    const fetch = vi.fn(async (hours: number) => answer(hours));
    const live = new DiagnosticsLive(answer(24), fetch);
    expect([live.current.hours, live.range, fetch.mock.calls.length]).toEqual([24, 24, 0]);
    live.setRange(168);
    expect([live.range, live.loading, live.current.hours]).toEqual([168, true, 24]);
    await vi.runAllTimersAsync();
    expect([live.loading, live.current.hours]).toEqual([false, 168]);
  });

  it('keep the last answer when the next does not come, and say why', async () => {
    const fetch = vi.fn(async (): Promise<DeviceDiagnostics> => answer(6, 'second'));
    fetch.mockRejectedValueOnce(new ConnectionError('down'));
    const live = new DiagnosticsLive(answer(24, 'first'), fetch);
    await live.refresh(true);
    expect([live.current.at, live.problem?.code]).toEqual(['first', 'unreachable']);
    await live.refresh(true);
    expect([live.current.at, live.problem]).toEqual(['second', null]);
  });

  it('show the newest question’s answer, however late an older one comes', async () => {
    const waiting: ((value: DeviceDiagnostics) => void)[] = [];
    const live = new DiagnosticsLive(answer(24), () => new Promise((resolve) => waiting.push(resolve)));
    live.setRange(6);
    live.setRange(168);
    waiting[1]!(answer(168));
    await vi.runAllTimersAsync();
    waiting[0]!(answer(6));
    await vi.runAllTimersAsync();
    expect(live.current.hours).toBe(168);
  });

  it('take many hints within a moment for one', async () => {
    const fetch = vi.fn(async () => answer(24));
    const live = new DiagnosticsLive(answer(24), fetch);
    for (let n = 0; n < 5; n++) live.hint();
    expect(fetch).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fetch).toHaveBeenCalledTimes(1);
    live.hint();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});
