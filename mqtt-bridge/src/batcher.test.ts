import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Batcher, type Job } from './batcher.ts';
import { emptyWork, type Work } from './work.ts';

const work = (serial: string, n: number, timeless = 0): Work => ({
  ...emptyWork(serial, 10),
  telemetry: [`${serial}/${n}`],
  timeless,
});

/** A database that stores when told to, and remembers what it was given. */
class FakeStore {
  readonly batches: string[][] = [];
  readonly #open: Array<() => void> = [];
  fail = 0;
  manual = false;

  prepare = (works: Work[]): { attempt(): Promise<void> } => ({
    attempt: async () => {
      if (this.fail > 0) {
        this.fail--;
        throw new Error('out of reach');
      }
      this.batches.push(works.flatMap((w) => w.telemetry));
      if (this.manual) await new Promise<void>((resolve) => this.#open.push(resolve));
    },
  });

  async finishOne(): Promise<void> {
    this.#open.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
  }
}

function setUp(more: object = {}): { store: FakeStore; stored: string[]; batcher: Batcher<string> } {
  const store = new FakeStore();
  const stored: string[] = [];
  const batcher = new Batcher<string>({
    ...{ lanes: 1, maxItems: 10, maxWaitMs: 20, maxTimeless: 3, log: () => {}, ...more },
    prepare: store.prepare,
    onStored: (jobs: Job<string>[]) => {
      stored.push(...jobs.map(({ token }) => token));
      return Promise.resolve();
    },
  });
  return { store, stored, batcher };
}

const add = (batcher: Batcher<string>, serial: string, n: number, timeless = 0): void =>
  batcher.add({ work: work(serial, n, timeless), token: `${serial}/${n}`, arrived: performance.now() });

describe('Batcher', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('waits 20 ms for company, and no longer', async () => {
    const { store, batcher } = setUp();
    add(batcher, 'A', 1);
    await vi.advanceTimersByTimeAsync(10);
    add(batcher, 'B', 1);
    expect(store.batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
    expect(store.batches).toEqual([['A/1', 'B/1']]);
  });

  it('does not wait once a batch is full', async () => {
    const { store, batcher } = setUp();
    for (let n = 0; n < 12; n++) add(batcher, `D${n}`, n);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.batches.map((batch) => batch.length)).toEqual([10]);
    await vi.advanceTimersByTimeAsync(20);
    expect(store.batches.map((batch) => batch.length)).toEqual([10, 2]);
  });

  it('keeps packets of a device in order while its lane is busy', async () => {
    const { store, stored, batcher } = setUp({ lanes: 4 });
    store.manual = true;
    for (let n = 0; n < 30; n++) add(batcher, 'A', n);
    await vi.advanceTimersByTimeAsync(100);
    expect(store.batches).toHaveLength(1);
    for (let i = 0; i < 3; i++) await store.finishOne();
    expect(stored).toEqual(Array.from({ length: 30 }, (_, n) => `A/${n}`));
  });

  it('lets lanes work at the same time', async () => {
    const { store, batcher } = setUp({ lanes: 4 });
    store.manual = true;
    for (let n = 0; n < 12; n++) add(batcher, `device-${n}`, n);
    await vi.advanceTimersByTimeAsync(20);
    expect(store.batches.length).toBeGreaterThan(1);
  });

  it('puts only a few packets of a device without a time of their own into one batch', async () => {
    const { store, batcher } = setUp();
    for (let n = 0; n < 7; n++) add(batcher, 'A', n, 1);
    await vi.advanceTimersByTimeAsync(60);
    expect(store.batches.map((batch) => batch.length)).toEqual([3, 3, 1]);
  });

  it('holds everything back and tries again while the database is away', async () => {
    const { store, stored, batcher } = setUp();
    store.fail = 3;
    add(batcher, 'A', 1);
    await vi.advanceTimersByTimeAsync(20);
    expect(batcher.failing).toBe(true);
    add(batcher, 'A', 2);
    await vi.advanceTimersByTimeAsync(100 + 200 + 400);
    expect(batcher.failing).toBe(false);
    await vi.advanceTimersByTimeAsync(20);
    expect(stored).toEqual(['A/1', 'A/2']);
  });

  it('starts nothing while held for any reason', async () => {
    const { store, batcher } = setUp();
    batcher.hold('broker');
    batcher.hold('lock');
    add(batcher, 'A', 1);
    batcher.release('lock');
    await vi.advanceTimersByTimeAsync(100);
    expect(store.batches).toEqual([]);
    batcher.release('broker');
    await vi.advanceTimersByTimeAsync(0);
    expect(store.batches).toEqual([['A/1']]);
  });

  it('gives back what no batch has yet', async () => {
    const { store, stored, batcher } = setUp();
    store.manual = true;
    for (let n = 0; n < 12; n++) add(batcher, 'A', n);
    await vi.advanceTimersByTimeAsync(0);
    expect(batcher.discard((token) => token !== 'A/11').map(({ token }) => token)).toEqual(['A/10']);
    await store.finishOne();
    await vi.advanceTimersByTimeAsync(20);
    await store.finishOne();
    expect(stored).toHaveLength(11);
    expect(stored.at(-1)).toBe('A/11');
  });

  it('flushes at once when asked to stop', async () => {
    const { stored, batcher } = setUp({ lanes: 3 });
    for (let n = 0; n < 5; n++) add(batcher, `D${n}`, n);
    const flushed = batcher.flush();
    await vi.advanceTimersByTimeAsync(0);
    await flushed;
    expect(stored).toHaveLength(5);
  });

  it('ends a flush that the database does not let finish, without saying stored', async () => {
    const { store, stored, batcher } = setUp();
    store.fail = 1_000;
    add(batcher, 'A', 1);
    const flushed = batcher.flush();
    await vi.advanceTimersByTimeAsync(500);
    batcher.abandon();
    await flushed;
    expect(stored).toEqual([]);
  });
});
