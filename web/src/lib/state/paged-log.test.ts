import { describe, expect, it, vi } from 'vitest';
import { PagedLog, type LogPage } from './paged-log.svelte.ts';

interface Entry {
  id: number;
  word: string;
}
const entry = (id: number, word = 'old'): Entry => ({ id, word });
const start = (pages: Record<string, LogPage<Entry>>) => {
  const read = vi.fn(async (after: string | null) => {
    const page = pages[after ?? 'first'];
    if (!page) throw new Error('no network');
    return page;
  });
  const first = { data: { items: [entry(9), entry(8)], next: 'b' }, problem: null };
  return { log: new PagedLog<Entry>(first, read), read };
};
const ids = (log: PagedLog<Entry>) => log.items.map(({ id }) => id);

describe('a list of what happened', () => {
  it('grows by older pages, each entry once, until there are no more', async () => {
    const { log, read } = start({ b: { items: [entry(8), entry(7)], next: null } });
    await Promise.all([log.older(), log.older()]);
    expect(ids(log)).toEqual([9, 8, 7]);
    await log.older();
    expect([log.hasMore, read.mock.calls.length]).toEqual([false, 1]);
  });

  it('takes in what is new and what changed, and keeps what was loaded', async () => {
    const { log } = start({ first: { items: [entry(10), entry(9, 'new')], next: 'x' } });
    await log.refresh();
    expect(log.items).toEqual([entry(10), entry(9, 'new'), entry(8)]);
    log.put(entry(8, 'new'));
    log.put(entry(11));
    expect(log.items.map(({ id, word }) => `${id} ${word}`)).toEqual(['11 old', '10 old', '9 new', '8 new']);
  });

  it('asks once more for all the news that come while it asks', async () => {
    const { log, read } = start({ first: { items: [entry(9), entry(8)], next: 'b' } });
    await Promise.all([log.refresh(), log.refresh(), log.refresh()]);
    expect(read).toHaveBeenCalledTimes(2);
    await log.refresh();
    expect(read).toHaveBeenCalledTimes(3);
  });

  it('has no hole when more happened than one page holds', async () => {
    const { log } = start({
      first: { items: [entry(20), entry(19)], next: 'c' },
      c: { items: [entry(18), entry(17)], next: 'd' },
    });
    await log.refresh();
    await log.older();
    expect(ids(log)).toEqual([20, 19, 18, 17]);
  });

  it('keeps what it has when a page cannot be read, and says why', async () => {
    const { log } = start({});
    await log.older();
    expect([ids(log), log.problem?.status, log.hasMore]).toEqual([[9, 8], 500, true]);
  });
});
