/**
 * Limits that hold across all running copies of the function. The database keeps the count of every key and window;
 * a copy leases a few turns at once and hands them out from memory, so most requests need no write, and what all
 * copies have leased together never exceeds the limit. Turns nobody used end with their window.
 */
import { AppError } from '../../_shared/errors.ts';

/** What is counted, and how often it may happen in a window. */
export interface Turn {
  key: string;
  limit: number;
  windowS: number;
}

/** As ec.take_turns takes it. */
export interface Ask extends Turn {
  wanted: number;
}

export interface Grant {
  granted: number;
  /** Seconds until the window ends. */
  retry_after: number;
}

/** One answer for each ask, in their order. */
export type TakeTurns = (asks: Ask[]) => Promise<Grant[]>;

interface Lease {
  limit: number;
  left: number;
  /** What was asked for last; grows with use, so that a single request costs a single turn. */
  lot: number;
  /** By our clock, and a second early: a turn is never used in the window after its own. */
  endsAt: number;
  /** Nothing is left for anybody. */
  spent: boolean;
  waiting: Waiting[];
}

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

const MAX_LEASES = 50_000;
const MAX_ASKS = 200;
/** The part of a limit that one copy holds back at most. */
const SHARE = 20;

export class RateLimiter {
  readonly #takeTurns: TakeTurns;
  readonly #now: () => number;
  readonly #leases = new Map<string, Lease>();
  readonly #queue = new Map<string, { turn: Turn; lease: Lease }>();
  #busy = false;

  constructor(takeTurns: TakeTurns, now: () => number = Date.now) {
    this.#takeTurns = takeTurns;
    this.#now = now;
  }

  /** Resolves when the turn is the caller's. Throws `rate_limited` with the seconds to wait. */
  async take(turn: Turn): Promise<void> {
    const lease = this.#leaseOf(turn);
    if (lease.waiting.length === 0 && lease.left > 0) {
      lease.left--;
      return;
    }
    if (lease.spent) throw this.#refusal(turn, lease);
    return new Promise((resolve, reject) => {
      lease.waiting.push({ resolve, reject });
      this.#queue.set(turn.key, { turn, lease });
      if (!this.#busy) void this.#run();
    });
  }

  /** Throws `rate_limited` when this copy knows that nothing is left, without asking anybody. */
  check(key: string): void {
    const lease = this.#leases.get(key);
    if (lease?.spent && lease.endsAt > this.#now()) throw this.#refusal({ key, limit: lease.limit }, lease);
  }

  /** Counts every time, past any lease: for what may happen a few times only. Throws `rate_limited`. */
  async takeExactly(turns: Turn[]): Promise<void> {
    if (turns.length === 0) return;
    const grants = await this.#takeTurns(turns.map((turn) => ({ ...turn, wanted: 1 })));
    const lacking = turns.findIndex((_, i) => (grants[i]?.granted ?? 0) < 1);
    if (lacking < 0) return;
    await this.giveBack(turns.filter((_, i) => (grants[i]?.granted ?? 0) > 0));
    throw tooMany(turns[lacking] as Turn, grants[lacking]?.retry_after ?? 1);
  }

  /** The turns were not needed after all. */
  async giveBack(turns: Turn[]): Promise<void> {
    if (turns.length > 0) await this.#takeTurns(turns.map((turn) => ({ ...turn, wanted: -1 })));
  }

  #leaseOf(turn: Turn): Lease {
    const known = this.#leases.get(turn.key);
    const usable =
      known !== undefined &&
      known.limit === turn.limit &&
      (known.waiting.length > 0 || known.endsAt > this.#now());
    const lease = usable
      ? known
      : { limit: turn.limit, left: 0, lot: (known?.lot ?? 0) >> 1, endsAt: 0, spent: false, waiting: [] };
    // Deleting first moves the key to the end: the map is ordered by last use.
    this.#leases.delete(turn.key);
    this.#leases.set(turn.key, lease);
    this.#forgetOldest();
    return lease;
  }

  /** One round trip at a time, for all keys that wait. */
  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#queue.size > 0) {
      const next = [...this.#queue.values()].slice(0, MAX_ASKS);
      for (const { turn } of next) this.#queue.delete(turn.key);
      // Some were served by a lease that was under way when they came.
      const batch = next.filter(({ lease }) => lease.waiting.length > 0);
      if (batch.length > 0) await this.#lease(batch);
    }
    this.#busy = false;
  }

  /** Never throws: those who wait hear what happened. */
  async #lease(batch: { turn: Turn; lease: Lease }[]): Promise<void> {
    const askedAt = this.#now();
    const asks = batch.map(({ turn, lease }) => {
      lease.lot = Math.max(1, Math.min(Math.floor(turn.limit / SHARE), lease.lot * 2));
      return { ...turn, wanted: Math.max(lease.lot, lease.waiting.length) };
    });
    try {
      const grants = await this.#takeTurns(asks);
      for (const [i, { turn, lease }] of batch.entries()) {
        const { granted, retry_after } = grants[i] ?? { granted: 0, retry_after: 1 };
        lease.endsAt = askedAt + Math.max(0, retry_after - 1) * 1000;
        lease.spent = granted === 0;
        const served = lease.waiting.splice(0, granted);
        lease.left = granted - served.length;
        for (const one of served) one.resolve();
        if (lease.waiting.length === 0) continue;
        if (lease.spent) {
          for (const one of lease.waiting.splice(0)) one.reject(tooMany(turn, retry_after));
        } else this.#queue.set(turn.key, { turn, lease });
      }
    } catch (error) {
      for (const { lease } of batch) for (const one of lease.waiting.splice(0)) one.reject(error);
    }
  }

  #refusal(turn: Pick<Turn, 'key' | 'limit'>, lease: Lease): AppError {
    const seconds = Math.max(1, Math.ceil((lease.endsAt - this.#now()) / 1000) + 1);
    return tooMany(turn, seconds);
  }

  #forgetOldest(): void {
    if (this.#leases.size <= MAX_LEASES) return;
    for (const [key, lease] of this.#leases) {
      if (lease.waiting.length === 0) this.#leases.delete(key);
      if (this.#leases.size <= MAX_LEASES) return;
    }
  }
}

function tooMany(turn: Pick<Turn, 'limit'> & Partial<Turn>, retry_after: number): AppError {
  const { limit, windowS = 60 } = turn;
  const span = windowS === 60 ? 'a minute' : `in ${Math.round(windowS / 60)} minutes`;
  const what = windowS === 60 ? 'requests' : 'tries';
  return new AppError('rate_limited', `At most ${limit} ${what} ${span}; try again in ${retry_after} s.`, {
    retry_after,
    ...(windowS === 60 ? { limit_per_minute: limit } : { limit, window_s: windowS }),
  });
}
