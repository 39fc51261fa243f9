import type { Issue } from '@edgeconductor/sdk/contract';
import type { z } from 'zod';
import { AppError } from '../../_shared/errors.ts';

/** Parses one part of a request; throws `invalid_request` with one issue per mistake. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues: Issue[] = result.error.issues.map((issue) => ({
    path: issue.path.map((step) => (typeof step === 'number' ? step : String(step))),
    code: issue.code,
    message: issue.message,
  }));
  const [first] = issues;
  const where = first === undefined || first.path.length === 0 ? part : `${first.path.join('.')} (${part})`;
  throw new AppError('invalid_request', `${where}: ${first?.message ?? 'not valid'}`, { issues });
}

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
