import { describe, expect, it } from 'vitest';
import { AppError, toAppError, toProblem } from './errors.ts';

const sql = (code: string, message = 'x', more = {}) => Object.assign(new Error(message), { code, ...more });

describe('what SQL raises', () => {
  it('is the contract’s code, with the sentence and the extra members', () => {
    const error = sql('EC409', 'stale_version', { detail: 'Read it again.', hint: '{"current":7}' });
    expect(toProblem(toAppError(error), 'r-1')).toEqual({
      type: 'urn:edgeconductor:error:stale_version',
      title: 'Someone else changed it first',
      status: 409,
      code: 'stale_version',
      detail: 'Read it again.',
      request_id: 'r-1',
      current: 7,
    });
  });

  it.each([
    ['42501', 'forbidden'],
    ['23505', 'conflict'],
    ['23514', 'unprocessable'],
    ['22P02', 'invalid_request'],
    ['22021', 'invalid_request'],
    ['40P01', 'unavailable'],
    ['57014', 'unavailable'],
    ['08006', 'unavailable'],
    ['57P01', 'unavailable'],
    ['53300', 'unavailable'],
    ['CONNECTION_CLOSED', 'unavailable'],
    ['ECONNREFUSED', 'unavailable'],
    ['XX000', 'internal'],
    ['42P01', 'internal'],
    ['EC409', 'internal'],
  ])('%s is %s', (code, expected) => {
    expect(toAppError(sql(code)).code).toBe(expected);
  });

  it('never tells the caller what Postgres said', () => {
    const problem = JSON.stringify(
      toProblem(toAppError(sql('23505', 'duplicate key "secret"', { detail: 'Key (x)=(y)' })), 'r'),
    );
    expect(problem).not.toMatch(/duplicate|secret|Key/);
  });
});

it('an internal error says the request id and nothing else', () => {
  const problem = toProblem(toAppError(new TypeError('cannot read x of undefined')), 'r-1');
  expect(problem).toEqual({
    type: 'urn:edgeconductor:error:internal',
    title: 'Something went wrong on our side',
    status: 500,
    code: 'internal',
    request_id: 'r-1',
  });
});

it('extra members cannot overwrite the problem’s own', () => {
  const error = new AppError('forbidden', 'No.', { status: 200, code: 'x', request_id: 'y', retry_after: 1 });
  expect(toProblem(error, 'r-1')).toMatchObject({ status: 403, code: 'forbidden', request_id: 'r-1' });
  expect(toProblem(error, 'r-1')).not.toHaveProperty('retry_after');
});
