import { AppError } from '../../_shared/errors.ts';

/** Query string as an object; a repeated key is an error and not a silent choice. */
export function readQuery(url: URL): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [key, value] of url.searchParams) {
    if (Object.hasOwn(query, key)) {
      const message = 'is given twice';
      throw new AppError('invalid_request', `${key} (query): ${message}`, {
        issues: [{ path: [key], code: 'custom', message }],
      });
    }
    query[key] = value;
  }
  return query;
}
