import type { OtaJob, OtaJobDevice } from '@edgeconductor/sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobLive } from './job-live.svelte.ts';
import { readUpdateNews } from './job-news.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const AT = '2026-11-25T10:00:05Z';
const job = {
  id: 'j1',
  state: 'running',
  stage: 0,
  soaking_since: null,
  counts: { queued: 2 },
  failures: [],
} as unknown as OtaJob;
const row = { serial: 'A', state: 'queued', percent: null, attempt: 1, changed_at: null } as OtaJobDevice;
const news = (change: object = {}) => ({
  id: 'j1',
  state: 'running',
  stage: 0,
  soaking_since: null,
  counts: { queued: 1, downloading: 1 },
  changed: [{ serial: 'A', state: 'downloading', percent: 40, reason: null, attempt: 1, at: AT }],
  ...change,
});

function open() {
  const doors = {
    fetchJob: vi.fn(async () => ({ ...job, name: 'fetched' })),
    onChange: vi.fn<(turned: boolean) => void>(),
  };
  return { doors, live: new JobLive(job, { watch: () => () => {} }, doors) };
}

describe('a job as it goes on', () => {
  it('takes counts and single devices from each message at once', () => {
    const { live } = open();
    live.hear('job', news());
    expect(live.current.counts).toEqual({ queued: 1, downloading: 1 });
    expect(live.row(row)).toMatchObject({ state: 'downloading', percent: 40 });
    expect(live.row({ ...row, serial: 'B' })).toMatchObject({ state: 'queued' });
  });

  it('never lets an older step win, from a late message or a row that is newer', () => {
    const { live } = open();
    live.hear('job', news());
    const old = { serial: 'A', state: 'sent', percent: null, attempt: 1, at: '2026-11-25T10:00:01Z' };
    live.hear('job', news({ changed: [old] }));
    expect(live.row(row).state).toBe('downloading');
    const newer = { ...row, state: 'succeeded', changed_at: '2026-11-25T10:00:09Z' } as OtaJobDevice;
    expect(live.row(newer).state).toBe('succeeded');
  });

  it('asks once for the rest after many messages', async () => {
    const { doors, live } = open();
    for (let i = 0; i < 5; i++) live.hear('job', news());
    await vi.advanceTimersByTimeAsync(5000);
    expect(doors.fetchJob).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2000);
    expect(doors.fetchJob).toHaveBeenCalledTimes(1);
    expect(doors.onChange).toHaveBeenCalledExactlyOnceWith(false);
    expect(live.current.name).toBe('fetched');
  });

  it('asks at once when the job itself took a turn', async () => {
    const { doors, live } = open();
    live.hear('job', news());
    live.hear('job', news({ state: 'completed' }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(doors.onChange).toHaveBeenCalledExactlyOnceWith(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(doors.fetchJob).toHaveBeenCalledTimes(1);
  });

  it('survives messages of another job, of another kind and of another shape', () => {
    const { live } = open();
    for (const payload of [null, 7, [], {}, news({ id: 'j2' }), news({ state: 'dancing' })])
      live.hear('job', payload);
    live.hear('telemetry', news());
    live.hear('job', news({ changed: [{ serial: 'A', state: 'levitating', at: AT }, 'x', null] }));
    expect(live.row(row)).toBe(row);
    expect(live.current.state).toBe('running');
  });

  it('reads what a device’s own topic says about its update', () => {
    const event = {
      serial: 'A',
      job_id: 'j1',
      number: 12,
      version: '1.3.0',
      state: 'downloading',
      percent: 7,
    };
    expect(readUpdateNews(event)).toMatchObject({
      number: 12,
      state: 'downloading',
      percent: 7,
      reason: null,
    });
    expect(readUpdateNews({ ...event, state: 'levitating' })).toBeNull();
  });
});
