import { ConnectionError } from '@edgeconductor/sdk';
import { describe, expect, it, vi } from 'vitest';
import type { Loaded } from '#lib/problem.ts';
import { Renewed } from './renewed.svelte.ts';

const loaded = (data: string): Loaded<string> => ({ data, problem: null });

describe('a loaded list that is asked for again', () => {
  it('shows the newest answer, and keeps it when the next one fails', async () => {
    const fetch = vi
      .fn<() => Promise<string>>()
      .mockResolvedValueOnce('newer')
      .mockRejectedValue(new ConnectionError('down'));
    const list = new Renewed({ value: loaded('first'), pending: false }, fetch);
    expect(list.value?.data).toBe('first');
    await list.renew();
    await list.renew();
    expect(list.value?.data).toBe('newer');
  });

  it('asks once more, not once each, when wishes come while an answer is on its way', async () => {
    const slow = Promise.withResolvers<string>();
    const fetch = vi.fn<() => Promise<string>>().mockReturnValueOnce(slow.promise).mockResolvedValue('last');
    const list = new Renewed({ value: loaded('first'), pending: false }, fetch);
    const done = list.renew();
    for (let i = 0; i < 5; i++) void list.renew();
    slow.resolve('slow');
    await done;
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(list.value?.data).toBe('last');
  });

  it('never lets an answer for the page before win over what was loaded since', async () => {
    const slow = Promise.withResolvers<string>();
    const source = { value: loaded('first'), pending: false };
    const list = new Renewed(source, () => slow.promise);
    const done = list.renew();
    source.value = loaded('another filter');
    slow.resolve('late');
    await done;
    expect(list.value?.data).toBe('another filter');
  });
});
