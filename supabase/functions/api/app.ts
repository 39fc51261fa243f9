/** The REST surface: every request gets an id, one log line and, when it fails, a problem. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { AppError, toAppError } from '../_shared/errors.ts';
import { log } from '../_shared/log.ts';
import { callRoute } from './http/bind.ts';
import { preflight, requestIdOf, toProblemResponse, toResponse } from './http/respond.ts';
import { Reply } from './http/route.ts';
import { makeOpenApi } from './openapi.ts';
import { routes } from './routes/index.ts';
import type { Surroundings } from './surroundings.ts';

type Work = (c: Context, requestId: string) => Promise<Reply<unknown>>;

export function createApp(around: Surroundings): Hono {
  const app = new Hono().basePath('/api');
  let document: object | undefined;

  app.options('*', (c) => preflight(requestIdOf(c.req.header('x-request-id'))));
  app.get(
    '/health',
    answer('/health', () => health(around)),
  );
  app.get(
    '/openapi.json',
    answer('/openapi.json', async () => {
      document ??= makeOpenApi(around.env.apiUrl);
      return new Reply(200, document, { 'Cache-Control': 'public, max-age=300' });
    }),
  );
  for (const route of routes) {
    const path = route.path.replace(/\{(\w+)\}/g, ':$1');
    app.on(
      route.method.toUpperCase(),
      path,
      answer(route.path, (c, id) => callRoute(route, around, c, id)),
    );
  }
  app.all(
    '*',
    answer('*', async () => {
      throw new AppError('not_found', 'There is no such route; see /openapi.json.');
    }),
  );
  return app;
}

async function health({ sql, now }: Surroundings): Promise<Reply<unknown>> {
  const begin = performance.now();
  await sql`select 1`;
  const database_ms = Math.round((performance.now() - begin) * 10) / 10;
  return new Reply(200, { status: 'ok', database_ms, at: now().toISOString() });
}

/** The one place where failures are caught, answered and logged. */
function answer(route: string, work: Work): (c: Context) => Promise<Response> {
  return async (c) => {
    const begin = performance.now();
    const requestId = requestIdOf(c.req.header('x-request-id'));
    let response: Response;
    let failure: AppError | undefined;
    try {
      response = toResponse(await work(c, requestId), requestId);
    } catch (error) {
      failure = toAppError(error);
      response = toProblemResponse(failure, requestId);
    }
    note(c, route, requestId, response.status, performance.now() - begin, failure);
    return response;
  };
}

/** Successful device traffic would drown everything else; it is counted in the database. */
function note(
  c: Context,
  route: string,
  request_id: string,
  status: number,
  ms: number,
  failure?: AppError,
): void {
  if (failure === undefined && route.endsWith('/telemetry') && c.req.method === 'POST') return;
  const level = status >= 500 ? 'error' : 'info';
  const cause =
    status >= 500 && failure?.cause instanceof Error
      ? `${failure.cause.name}: ${failure.cause.message}`
      : undefined;
  const duration_ms = Math.round(ms * 10) / 10;
  log(level, 'request', {
    request_id,
    method: c.req.method,
    route,
    status,
    duration_ms,
    code: failure?.code,
    cause,
  });
}
