import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseOtaStatus } from './mod.ts';

const job_id = 'a3bb189e-8bf9-4c1d-9f8e-0c4f3a2d1b00';
const read = (body: object): unknown => parseOtaStatus(JSON.stringify({ job_id, ...body }));

it('a report has a job, a state and what the device says about it', () => {
  expect(read({ attempt: 2, state: 'downloading', percent: 40 })).toEqual({
    ...{ ok: true, report: { job_id, attempt: 2, state: 'downloading', percent: 40 } },
  });
  expect(read({ state: 'failed', reason: 'sha256_mismatch' })).toMatchObject({
    report: { state: 'failed', reason: 'sha256_mismatch' },
  });
  expect(read({ state: 'deferred', reason: 'busy', retry_s: 60 })).toMatchObject({
    report: { reason: 'busy', retry_s: 60 },
  });
});

it('what is odd about a report does not lose it', () => {
  expect(read({ state: 'downloading', percent: 140.4, attempt: 'two', retry_s: null })).toEqual({
    ...{ ok: true, report: { job_id, state: 'downloading', percent: 100 } },
  });
  expect(read({ state: 'downloading', percent: 33.6, attempt: 0 })).toMatchObject({
    report: { percent: 34 },
  });
  expect(read({ state: 'rejected', reason: 'x'.repeat(500) })).toMatchObject({
    report: { reason: 'x'.repeat(200) },
  });
  expect(read({ state: 'failed', reason: { code: 5 } })).toEqual({
    ...{ ok: true, report: { job_id, state: 'failed' } },
  });
  expect(read({ job_id: job_id.toUpperCase(), state: 'failed' })).toMatchObject({ report: { job_id } });
});

it.each([
  '{"state":"failed"}',
  '{"job_id":"7","state":"failed"}',
  `{"job_id":"${job_id}"}`,
  `{"job_id":"${job_id}","state":"succeeded"}`,
  `[{"job_id":"${job_id}","state":"failed"}]`,
  'failed',
  '',
])('%.60s is refused', (input) => expect(parseOtaStatus(input)).toMatchObject({ ok: false }));

it('nothing throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.uint8Array()), (input) => {
      expect(parseOtaStatus(input)).toHaveProperty('ok');
    }),
  );
});
