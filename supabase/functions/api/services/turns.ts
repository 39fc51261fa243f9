/** Turns of rate limits, as the database counts them for all copies of the function. */
import type { Db } from '../../_shared/db.ts';
import type { Ask, Grant, TakeTurns } from '../http/rate-limit.ts';

/**
 * Many keys in one statement, always in the order of their names, so that two copies never wait for each other.
 * `sql` has a connection of its own: turns are taken while other connections hold a transaction open.
 */
export function takeTurns(sql: Db): TakeTurns {
  return async (asks: Ask[]): Promise<Grant[]> => {
    const rows = await sql<(Grant & { i: number })[]>`
      select a.i, t.granted, t.retry_after
      from (
        select (e.n - 1)::int as i, e.ask ->> 'key' as key, (e.ask ->> 'limit')::int as max,
          (e.ask ->> 'windowS')::int as window_s, (e.ask ->> 'wanted')::int as wanted
        from json_array_elements(${JSON.stringify(asks)}::text::json) with ordinality e (ask, n)
        order by 2, 1
      ) a
      cross join lateral ec.take_turns(a.key, a.max, a.window_s, a.wanted) t`;
    const grants: Grant[] = [];
    for (const { i, granted, retry_after } of rows) grants[i] = { granted, retry_after };
    return grants;
  };
}
