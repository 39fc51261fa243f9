/** The one place where a failure becomes an answer: thrown as AppError or raised by SQL, answered as a Problem. */
import { ERROR_STATUS, ERROR_TITLE, isErrorCode } from '@edgeconductor/sdk/contract';
import type { ErrorCode, Issue, Problem } from '@edgeconductor/sdk/contract';

export interface ErrorExtra {
  issues?: Issue[];
  /** seconds, becomes the Retry-After header */
  retry_after?: number;
  [member: string]: unknown;
}

/** A failure with a contract code. `detail` is a sentence that says what to do. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly extra: ErrorExtra;
  constructor(code: ErrorCode, detail?: string, extra: ErrorExtra = {}, options?: ErrorOptions) {
    super(detail ?? ERROR_TITLE[code], options);
    this.name = 'AppError';
    this.code = code;
    this.extra = extra;
  }
}

/** What postgres.js throws, as far as we look at it. */
interface SqlError {
  code: string;
  message: string;
  detail?: string;
  hint?: string;
}

const BY_SQLSTATE: Record<string, [ErrorCode, string]> = {
  '42501': ['forbidden', 'This credential may not do that.'],
  '23505': ['conflict', 'Something with that name exists already.'],
  '23503': ['unprocessable', 'It refers to something that does not exist, or is still in use.'],
  '23514': ['unprocessable', 'A value is out of its range.'],
  '23502': ['unprocessable', 'A value is missing.'],
  '22P02': ['invalid_request', 'A value has the wrong form.'],
  '22007': ['invalid_request', 'A time has the wrong form.'],
  '22008': ['invalid_request', 'A time is out of range.'],
  '22P05': ['invalid_request', 'A text has characters that cannot be stored.'],
  '22021': ['invalid_request', 'A text has characters that cannot be stored.'],
  '22003': ['invalid_request', 'A number is out of range.'],
  '40001': ['unavailable', 'Others changed the same thing at the same time; try again.'],
  '40P01': ['unavailable', 'Others changed the same thing at the same time; try again.'],
  '55P03': ['unavailable', 'Others are changing the same thing; try again.'],
  '57014': ['unavailable', 'It took too long.'],
};

/** Connection trouble: of Postgres (classes 08, 53, 57) and of the driver. */
const UNREACHABLE = /^(08|53|57P)|^(CONNECT|CONNECTION|ECONN|EPIPE|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT)/;

/** Any thrown value as an AppError; what nobody foresaw is `internal` and keeps its cause for the log only. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isSqlError(error)) return fromSql(error);
  return new AppError('internal', undefined, {}, { cause: error });
}

function fromSql(error: SqlError): AppError {
  const cause = { cause: error };
  if (error.code.startsWith('EC') && isErrorCode(error.message)) {
    return new AppError(error.message, error.detail, parseHint(error.hint), cause);
  }
  const known = BY_SQLSTATE[error.code];
  if (known !== undefined) return new AppError(known[0], known[1], retryAfter(known[0]), cause);
  if (UNREACHABLE.test(error.code)) {
    return new AppError(
      'unavailable',
      'The database does not answer; try again.',
      retryAfter('unavailable'),
      cause,
    );
  }
  return new AppError('internal', undefined, {}, cause);
}

function retryAfter(code: ErrorCode): ErrorExtra {
  return code === 'unavailable' ? { retry_after: 1 } : {};
}

function parseHint(hint: string | undefined): ErrorExtra {
  if (!hint) return {};
  try {
    const extra: unknown = JSON.parse(hint);
    return typeof extra === 'object' && extra !== null && !Array.isArray(extra) ? { ...extra } : {};
  } catch {
    return {};
  }
}

function isSqlError(error: unknown): error is SqlError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** RFC 9457 body. `internal` says the request id and nothing else. */
export function toProblem(error: AppError, requestId: string): Problem {
  const { retry_after: _, ...extra } = error.extra;
  const problem = {
    type: `urn:edgeconductor:error:${error.code}`,
    title: ERROR_TITLE[error.code],
    status: ERROR_STATUS[error.code],
    code: error.code,
    request_id: requestId,
  };
  return error.code === 'internal' ? problem : { ...extra, ...problem, detail: error.message };
}
