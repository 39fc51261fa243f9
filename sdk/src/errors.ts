/** Everything the SDK throws. Branch on the class, or on `code`, never on the text. */
import type { ErrorCode, Issue } from './contract/errors.ts';

/** Root of all errors of this package. */
export class EdgeConductorError extends Error {
  override name = 'EdgeConductorError';
}

export interface ErrorDetails {
  status: number;
  code: ErrorCode;
  /** Quote it when you ask for help: it finds the request in the logs. */
  requestId: string | null;
  issues: Issue[];
  /** Seconds to wait, when the server said so. */
  retryAfter: number | null;
  /** The whole problem document, with the members that only some codes have. */
  problem: Readonly<Record<string, unknown>>;
}

/** The API answered, and the answer is no. */
export class APIError extends EdgeConductorError implements ErrorDetails {
  override name = 'APIError';
  readonly status: number;
  readonly code: ErrorCode;
  readonly requestId: string | null;
  readonly issues: Issue[];
  readonly retryAfter: number | null;
  readonly problem: Readonly<Record<string, unknown>>;
  constructor(message: string, details: ErrorDetails) {
    super(message);
    this.status = details.status;
    this.code = details.code;
    this.requestId = details.requestId;
    this.issues = details.issues;
    this.retryAfter = details.retryAfter;
    this.problem = details.problem;
  }
}

/** invalid_request: `issues` says what is wrong where. */
export class InvalidRequestError extends APIError {
  override name = 'InvalidRequestError';
}
/** unauthenticated: the credential is missing, wrong, revoked or has expired. */
export class AuthenticationError extends APIError {
  override name = 'AuthenticationError';
}
/** forbidden, plan_limit */
export class PermissionDeniedError extends APIError {
  override name = 'PermissionDeniedError';
}
/** not_found: it does not exist, or this credential may not see it. */
export class NotFoundError extends APIError {
  override name = 'NotFoundError';
}
/** serial_taken, stale_version, conflict, already_used, expired */
export class ConflictError extends APIError {
  override name = 'ConflictError';
}
/** too_large, unprocessable: well formed, and still not possible. */
export class UnprocessableError extends APIError {
  override name = 'UnprocessableError';
}
/** rate_limited: see `retryAfter`. */
export class RateLimitError extends APIError {
  override name = 'RateLimitError';
}
/** internal, unavailable, or a gateway that answered in the API's place. */
export class ServerError extends APIError {
  override name = 'ServerError';
}

/** No answer arrived. */
export class ConnectionError extends EdgeConductorError {
  override name = 'ConnectionError';
}
/** No answer arrived in time. */
export class TimeoutError extends ConnectionError {
  override name = 'TimeoutError';
}
/** Your own signal ended it. */
export class AbortedError extends EdgeConductorError {
  override name = 'AbortedError';
}

const CLASS_OF: Record<ErrorCode, typeof APIError> = {
  invalid_request: InvalidRequestError,
  unauthenticated: AuthenticationError,
  forbidden: PermissionDeniedError,
  plan_limit: PermissionDeniedError,
  not_found: NotFoundError,
  serial_taken: ConflictError,
  stale_version: ConflictError,
  conflict: ConflictError,
  already_used: ConflictError,
  expired: ConflictError,
  too_large: UnprocessableError,
  unprocessable: UnprocessableError,
  rate_limited: RateLimitError,
  internal: ServerError,
  unavailable: ServerError,
};

/** The one factory: from an answer's status, headers and body to the error of its code. */
export function errorFrom(status: number, headers: Headers, body: unknown): APIError {
  const problem = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const code = isKnown(problem['code']) ? problem['code'] : codeOfStatus(status);
  const message = [problem['detail'], problem['title']].find(
    (text) => typeof text === 'string' && text !== '',
  );
  return new CLASS_OF[code]((message as string | undefined) ?? `The server answered ${status}`, {
    status,
    code,
    requestId: headers.get('x-request-id') ?? (problem['request_id'] as string | undefined) ?? null,
    issues: Array.isArray(problem['issues']) ? (problem['issues'] as Issue[]) : [],
    retryAfter: readRetryAfter(headers.get('retry-after')),
    problem,
  });
}

function isKnown(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(CLASS_OF, code);
}

/** For answers that no API of ours gave: proxies, load balancers. */
function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthenticated';
    case 403:
      return 'forbidden';
    case 404:
      return 'not_found';
    case 409:
      return 'conflict';
    case 410:
      return 'expired';
    case 413:
      return 'too_large';
    case 422:
      return 'unprocessable';
    case 429:
      return 'rate_limited';
    default:
      if (status < 500) return 'invalid_request';
      return status === 500 ? 'internal' : 'unavailable';
  }
}

function readRetryAfter(header: string | null): number | null {
  if (header === null) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}
