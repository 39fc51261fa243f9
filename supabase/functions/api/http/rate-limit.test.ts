import { beforeEach, describe, expect, it } from 'vitest';
import { RateLimiter, type Ask, type Grant, type Turn } from './rate-limit.ts';

let now: number;
let used: Map<string, number>;
let calls: Ask[][];

/** What ec.take_turns does, in memory: windows of the clock, never more than the limit. */
async function takeTurns(asks: Ask[]): Promise<Grant[]> {
  calls.push(asks);
  return asks.map(({ key, limit, windowS, wanted }) => {
    const window = Math.floor(now / 1000 / windowS);
    const slot = `${key} ${window}`;
    const before = used.get(slot) ?? 0;
    const granted = wanted < 0 ? wanted : Math.min(wanted, Math.max(0, limit - before));
    used.set(slot, Math.max(0, before + granted));
    return { granted, retry_after: Math.ceil((window + 1) * windowS - now / 1000) };
  });
}

const turn = (key: string, limit = 100): Turn => ({ key, limit, windowS: 60 });
const copy = () => new RateLimiter(takeTurns, () => now);
const count = async (limiter: RateLimiter, times: number, of: Turn): Promise<number> => {
  const results = await Promise.allSettled(Array.from({ length: times }, () => limiter.take(of)));
  return results.filter((result) => result.status === 'fulfilled').length;
};

beforeEach(() => {
  now = 0;
  used = new Map();
  calls = [];
});

describe('a limit', () => {
  it('is given out to the last turn and not beyond', async () => {
    const limiter = copy();
    expect(await count(limiter, 150, turn('a'))).toBe(100);
    await expect(limiter.take(turn('a'))).rejects.toMatchObject({
      code: 'rate_limited',
      extra: { limit_per_minute: 100, retry_after: 60 },
    });
  });

  it('holds over several copies together, and each of them may use nearly all of it', async () => {
    const copies = [copy(), copy(), copy()];
    let taken = 0;
    for (let round = 0; round < 60; round++)
      for (const limiter of copies) taken += await count(limiter, 1, turn('a'));
    expect(taken).toBeLessThanOrEqual(100);
    expect(taken).toBeGreaterThanOrEqual(100 - 2 * 5);
  });

  it('comes back with the next window, and turns of the window before are not carried over', async () => {
    const limiter = copy();
    for (let n = 0; n < 20; n++) await limiter.take(turn('a'));
    now = 60_000;
    expect(await count(limiter, 150, turn('a'))).toBe(100);
    expect([...used.values()].every((value) => value <= 100)).toBe(true);
  });

  it('is counted for each key by itself', async () => {
    const limiter = copy();
    expect(await count(limiter, 3, turn('a', 2))).toBe(2);
    expect(await count(limiter, 3, turn('b', 2))).toBe(2);
  });

  it('that changed with the plan counts from then on', async () => {
    const limiter = copy();
    expect(await count(limiter, 3, turn('a', 2))).toBe(2);
    expect(await count(limiter, 9, turn('a', 10))).toBe(8);
  });
});

describe('leases', () => {
  it('spare most requests the way to the database', async () => {
    const limiter = copy();
    for (let n = 0; n < 1000; n++) await limiter.take(turn('a', 1000));
    expect(calls.length).toBeLessThan(30);
  });

  it('of a key used once cost one turn', async () => {
    await copy().take(turn('a', 1000));
    expect([...used.values()]).toEqual([1]);
  });

  it('of many keys that wait together are one round trip', async () => {
    const limiter = copy();
    await Promise.all(Array.from({ length: 50 }, (_, n) => limiter.take(turn(`device-${n}`))));
    // The first goes alone because nothing else waits yet.
    expect(calls.map((asks) => asks.length)).toEqual([1, 49]);
  });

  it('remember that nothing is left, so that a flood stays outside', async () => {
    const limiter = copy();
    await count(limiter, 101, turn('a'));
    const before = calls.length;
    expect(await count(limiter, 500, turn('a'))).toBe(0);
    expect(calls).toHaveLength(before);
    expect(() => limiter.check('a')).toThrow('At most 100 requests a minute');
    now = 60_000;
    expect(() => limiter.check('a')).not.toThrow();
    expect(await count(limiter, 1, turn('a'))).toBe(1);
  });

  it('that cannot be had fail those who wait, and the next one tries again', async () => {
    let down = true;
    const limiter = new RateLimiter(async (asks) => {
      if (down) throw new Error('down');
      return takeTurns(asks);
    });
    const results = await Promise.allSettled([limiter.take(turn('a')), limiter.take(turn('a'))]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    down = false;
    await limiter.take(turn('a'));
  });
});

describe('exact turns', () => {
  const guess: Turn = { key: 'code', limit: 10, windowS: 900 };

  it('are counted one by one and can be given back', async () => {
    const limiter = copy();
    for (let n = 0; n < 30; n++) {
      await limiter.takeExactly([guess]);
      await limiter.giveBack([guess]);
    }
    for (let n = 0; n < 10; n++) await limiter.takeExactly([guess]);
    await expect(limiter.takeExactly([guess])).rejects.toMatchObject({
      message: 'At most 10 tries in 15 minutes; try again in 900 s.',
      extra: { retry_after: 900, limit: 10, window_s: 900 },
    });
  });

  it('are taken all or none', async () => {
    const limiter = copy();
    const address: Turn = { key: 'address', limit: 1000, windowS: 900 };
    for (let n = 0; n < 10; n++) await limiter.takeExactly([guess]);
    await expect(limiter.takeExactly([address, guess])).rejects.toThrow('tries');
    expect(used.get('address 0')).toBe(0);
  });
});
