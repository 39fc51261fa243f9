/** The closed set of failures. Every answer ≥ 400 of the API is a `Problem` with one of these codes. */
import { z } from 'zod';

/** code → HTTP status. */
export const ERROR_STATUS = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  plan_limit: 403,
  not_found: 404,
  serial_taken: 409,
  stale_version: 409,
  conflict: 409,
  already_used: 409,
  expired: 410,
  too_large: 413,
  unprocessable: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;
export const ERROR_CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];
export const ErrorCode = z.enum(ERROR_CODES);

/** RFC 9457 `title`: the same words for the same code, always. */
export const ERROR_TITLE: Record<ErrorCode, string> = {
  invalid_request: 'The request is not valid',
  unauthenticated: 'Sign in or send a valid credential',
  forbidden: 'This credential may not do that',
  plan_limit: 'The plan does not allow more',
  not_found: 'Not found',
  serial_taken: 'The serial number is taken',
  stale_version: 'Someone else changed it first',
  conflict: 'It conflicts with the present state',
  already_used: 'It was used already',
  expired: 'It has expired',
  too_large: 'The request is too large',
  unprocessable: 'The request cannot be carried out',
  rate_limited: 'Too many requests',
  internal: 'Something went wrong on our side',
  unavailable: 'The service is not available right now',
};

/** One thing that is wrong with the request; `path` leads to it. */
export const Issue = z
  .object({ path: z.array(z.union([z.string(), z.number()])), code: z.string(), message: z.string() })
  .meta({ id: 'Issue' });
export type Issue = z.infer<typeof Issue>;

/** RFC 9457 problem details. Extra members (`current`, `known_product_types`, …) depend on the code. */
export const Problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: ErrorCode,
    request_id: z.string(),
    issues: z.array(Issue).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/** True for a string that is one of our codes; guards against proxies that answer in our place. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_STATUS, value);
}
