import { expect, it } from 'vitest';
import { isoTimes } from './times.ts';

it('gives times in JSON of the database the form of the wire, and leaves the rest', () => {
  expect(
    isoTimes([{ created_at: '2026-11-23 01:02:03.456789+00', ended_at: null, nested: { at: 'x', n_at: 1 } }]),
  ).toEqual([{ created_at: '2026-11-23T01:02:03.456Z', ended_at: null, nested: { at: 'x', n_at: 1 } }]);
});
