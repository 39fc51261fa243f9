import { APIError, ConnectionError, type ErrorCode, type Issue } from '@edgeconductor/sdk';

/** What a screen needs to explain a failure: what happened, what to do, and the id to quote. Plain data, so it
 *  travels from server to browser. */
export interface Problem {
  status: number;
  code: ErrorCode | 'unreachable';
  title: string;
  detail: string | null;
  request_id: string | null;
  /** What is wrong with single fields, when that is known. */
  issues?: Issue[];
}

/** Either the data or the reason why there is none; pages show the parts that did load. */
export type Loaded<T> = { data: T; problem: null } | { data: null; problem: Problem };

const UNREACHABLE: Problem = {
  status: 503,
  code: 'unreachable',
  title: 'No answer from EdgeConductor',
  detail: 'The service may be starting or the network may be down. Nothing was changed.',
  request_id: null,
};

const INTERNAL: Problem = {
  status: 500,
  code: 'internal',
  title: 'Something went wrong on our side',
  detail: 'Try again; if it stays, send us the request id.',
  request_id: null,
};

/** Any thrown thing as a Problem. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ConnectionError) return UNREACHABLE;
  if (!(error instanceof APIError)) return INTERNAL;
  const { title, detail } = error.problem;
  return {
    status: error.status,
    code: error.code,
    title: typeof title === 'string' ? title : error.message,
    detail: typeof detail === 'string' ? detail : null,
    request_id: error.requestId,
    ...(error.issues.length > 0 && { issues: error.issues }),
  };
}

/** Waits and keeps failure as data. */
export async function settle<T>(promise: PromiseLike<T>): Promise<Loaded<T>> {
  try {
    return { data: await promise, problem: null };
  } catch (error) {
    return { data: null, problem: toProblem(error) };
  }
}
