import { expect, it } from 'vitest';
import { onceAtATime } from './once-at-a-time.ts';

it('runs once more for all who asked while it ran', async () => {
  const ends: (() => void)[] = [];
  const job = onceAtATime(() => new Promise<void>((resolve) => ends.push(resolve)));
  const first = job();
  const others = [job(), job(), job()];
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await first;
  await expect.poll(() => ends.length).toBe(2);
  ends[1]?.();
  await Promise.all(others);
  expect(ends).toHaveLength(2);
});

it('a run that failed does not keep the next from running', async () => {
  let runs = 0;
  const job = onceAtATime(async () => {
    if (++runs === 1) throw new Error('down');
    return runs;
  });
  const [first, second] = await Promise.allSettled([job(), job()]);
  expect(first.status).toBe('rejected');
  expect(second).toEqual({ status: 'fulfilled', value: 2 });
});
