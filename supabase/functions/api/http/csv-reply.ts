import { Reply } from './route.ts';

/** A download; typed as the route's JSON because a route has one shape and the caller asked for another. */
export function csvReply(csv: string, name: string, headers: Record<string, string> = {}): Reply<never> {
  return new Reply(200, csv as never, {
    ...headers,
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name}.csv"`,
  });
}
