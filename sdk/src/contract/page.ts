/** Paging: lists are plain arrays, the next page is in `Link: <…>; rel="next"`. */
import { z } from 'zod';

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 500;

/** A whole number in a query string: digits only, so `1e3`, ` 5` and `` are errors and not surprises. */
export function countParam(max: number, fallback: number) {
  return z
    .string()
    .regex(/^\d{1,6}$/, 'use a whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(max))
    .default(fallback)
    .meta({ type: 'integer', minimum: 1, maximum: max, default: fallback });
}

/** A switch in a query string. */
export const FlagParam = z
  .enum(['true', 'false', '1', '0'])
  .transform((value) => value === 'true' || value === '1')
  .meta({ type: 'boolean' });

/** Opaque: the value of the last `Link` header's `after`. Never build or read one. */
export const Cursor = z.string().min(1).max(512).describe('Opaque cursor out of the Link header');

export const PageQuery = z.object({ limit: countParam(MAX_LIMIT, DEFAULT_LIMIT), after: Cursor.optional() });
export type PageQuery = z.infer<typeof PageQuery>;
