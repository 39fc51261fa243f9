import { APIError, ConnectionError, NotFoundError } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { settle, toProblem } from './problem.ts';

const details = { issues: [], retryAfter: null, requestId: 'req-1' };

describe('failures as screens explain them', () => {
  it('keeps what the API said, with the request id to quote', () => {
    const error = new NotFoundError('x', {
      ...details,
      status: 404,
      code: 'not_found',
      problem: { title: 'Not found', detail: 'No device EC-1.' },
    });
    expect(toProblem(error)).toEqual({
      status: 404,
      code: 'not_found',
      title: 'Not found',
      detail: 'No device EC-1.',
      request_id: 'req-1',
    });
  });

  it('tells an API that cannot be reached from our own mistakes', () => {
    expect(toProblem(new ConnectionError('down')).code).toBe('unreachable');
    expect(toProblem(new TypeError('x is not a function')).code).toBe('internal');
    expect(toProblem('thrown text').status).toBe(500);
  });

  it('shows a proxy’s answer without a problem document by its message', () => {
    const error = new APIError('The server answered 502', {
      ...details,
      status: 502,
      code: 'unavailable',
      problem: {},
    });
    expect(toProblem(error).title).toBe('The server answered 502');
  });

  it('turns a rejection into data and a value into data', async () => {
    expect(await settle(Promise.resolve(7))).toEqual({ data: 7, problem: null });
    expect((await settle(Promise.reject(new ConnectionError('down')))).problem?.status).toBe(503);
  });
});
