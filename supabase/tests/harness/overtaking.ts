import { expect } from 'vitest';
import type { Actor, Database, Session } from './database.ts';

/**
 * Runs `first` and keeps its transaction open until `second` waits for one of its locks, then commits it. So the two
 * meet for certain, not by chance; `second` that never waits would have overtaken, and fails the test.
 */
export async function meet<First, Second>(
  db: Database,
  actor: Actor,
  first: (session: Session) => Promise<First>,
  second: () => Promise<Second>,
): Promise<[First, PromiseSettledResult<Second>]> {
  let later: Promise<PromiseSettledResult<Second>[]> | undefined;
  const result = await db.as(actor, async (session) => {
    const value = await first(session);
    later = Promise.allSettled([second()]);
    await expect.poll(() => waiting(db), { timeout: 10_000, interval: 5 }).toBeGreaterThan(0);
    return value;
  });
  return [result, (await later!)[0]!];
}

const waiting = async (db: Database): Promise<number> =>
  Number(
    await db.value(
      `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    ),
  );
