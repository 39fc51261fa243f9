import { describe, expect, it } from 'vitest';
import { Task } from './task.svelte.ts';

describe('something somebody asked for', () => {
  it('is busy until it ends, and a second click in between does nothing', async () => {
    const task = new Task();
    let finish = (_: string): void => {};
    const first = task.run(() => new Promise<string>((resolve) => (finish = resolve)));
    expect(task.busy).toBe(true);
    expect(await task.run(() => Promise.resolve('twice'))).toBeNull();
    finish('once');
    expect(await first).toEqual({ data: 'once', problem: null });
    expect(task.busy).toBe(false);
  });

  it('keeps the reason of a failure until the next attempt', async () => {
    const task = new Task();
    await task.run(() => Promise.reject(new Error('boom')));
    expect(task.problem?.code).toBe('internal');
    await task.run(() => Promise.resolve(1));
    expect(task.problem).toBeNull();
  });
});
