/** The worker's two routes: the kick that starts jobs, and whether it is well. */
import { AppError, toAppError, toProblem } from '../_shared/errors.ts';
import { log } from '../_shared/log.ts';
import { sameText } from '../_shared/secrets.ts';
import { ERROR_STATUS } from '@edgeconductor/sdk/contract';

/** Counts of what a job did. */
export type JobResult = Record<string, number>;

export interface WorkerParts {
  secret: string;
  jobs: Record<string, () => Promise<JobResult>>;
  checkDatabase(): Promise<void>;
}

export function createHandler(parts: WorkerParts): (request: Request) => Promise<Response> {
  return async (request) => {
    const requestId = crypto.randomUUID();
    const path = new URL(request.url).pathname.replace(/\/+$/, '');
    try {
      if (path === '/worker/health' && request.method === 'GET') {
        await parts.checkDatabase();
        return json(200, { status: 'ok', at: new Date().toISOString() });
      }
      if (path === '/worker' && request.method === 'POST')
        return json(200, await runJobs(parts, request, requestId));
      throw new AppError('not_found', 'There is no such route.');
    } catch (error) {
      const failure = toAppError(error);
      const status = ERROR_STATUS[failure.code];
      if (status >= 500) {
        const cause = failure.cause instanceof Error ? failure.cause.message : failure.message;
        log('error', 'worker failed', { request_id: requestId, code: failure.code, cause });
      }
      return json(status, toProblem(failure, requestId), 'application/problem+json');
    }
  };
}

/** `{"jobs":["mail"]}`; without a body every job. Unknown ones are an error, so that a typo is seen. */
async function runJobs(parts: WorkerParts, request: Request, requestId: string): Promise<object> {
  const given = /^Bearer +(.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
  if (!sameText(given, parts.secret)) throw new AppError('unauthenticated', 'The worker has a secret.');
  const names = await readNames(request, Object.keys(parts.jobs));
  const results: Record<string, JobResult> = {};
  for (const name of names) {
    const began = performance.now();
    const result = await (parts.jobs[name] as () => Promise<JobResult>)();
    results[name] = result;
    const duration_ms = Math.round(performance.now() - began);
    log('info', 'job', { request_id: requestId, job: name, duration_ms, ...result });
  }
  return results;
}

async function readNames(request: Request, known: string[]): Promise<string[]> {
  const text = await request.text();
  if (text === '') return known;
  let names: unknown;
  try {
    names = (JSON.parse(text) as { jobs?: unknown } | null)?.jobs ?? known;
  } catch {
    throw new AppError('invalid_request', 'The body is not valid JSON.');
  }
  if (!Array.isArray(names) || !names.every((name) => known.includes(name as string)))
    throw new AppError('invalid_request', `jobs is a list of: ${known.join(', ')}.`);
  return names as string[];
}

function json(status: number, body: object, type = 'application/json'): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': type, 'cache-control': 'no-store' },
  });
}
