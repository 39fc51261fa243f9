import type { Issue } from '@edgeconductor/sdk/contract';
import type { z } from 'zod';
import { AppError } from './errors.ts';

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
