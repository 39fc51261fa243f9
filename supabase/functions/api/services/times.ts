/** Times inside JSON that SQL made have Postgres' form; on the wire they are ISO 8601 with milliseconds and Z. */

/** Converts every text under a key that ends in `_at`, however deep. */
export function isoTimes<T>(value: T): T {
  if (Array.isArray(value)) return value.map(isoTimes) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key.endsWith('_at') && typeof inner === 'string' ? new Date(inner).toISOString() : isoTimes(inner),
    ]),
  ) as T;
}
