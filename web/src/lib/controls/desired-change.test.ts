import { mergeShadow } from '@edgeconductor/sdk/contract';
import { expect, it } from 'vitest';
import { changesOf, patchFor, withoutNulls, withoutPaths } from './desired-change.ts';

const BEFORE = { relay: true, pid: { kp: 1, ki: 2 }, days: [1, 2], mode: 'eco' };

it('a patch turns one document into the other and names nothing that stays', () => {
  const after = { pid: { kp: 1, kd: 3 }, days: [1], mode: 'eco', led: { on: true } };
  const patch = patchFor(BEFORE, after);
  expect(patch).toEqual({ relay: null, pid: { ki: null, kd: 3 }, days: [1], led: { on: true } });
  expect(mergeShadow(BEFORE, patch)).toEqual(after);
  expect(patchFor(BEFORE, { ...BEFORE })).toEqual({});
});

it('what a patch changes is told leaf by leaf', () => {
  expect(changesOf(BEFORE, { relay: null, pid: { ki: 5 }, mode: 'eco', gone: null, led: 1 })).toEqual([
    { path: 'led', before: undefined, after: 1 },
    { path: 'pid.ki', before: 2, after: 5 },
    { path: 'relay', before: true, after: undefined },
  ]);
});

it('null stands for a key that should go, at any depth', () => {
  expect(withoutNulls({ a: null, b: { c: null, d: 1 }, l: [1] })).toEqual({ b: { d: 1 }, l: [1] });
});

it('a patch can be kept without some of its paths', () => {
  const patch = { relay: true, pid: { kp: 1, ki: null }, led: { on: true }, empty: {} };
  expect(withoutPaths(patch, ['relay', 'pid.kp', 'led.on'])).toEqual({ pid: { ki: null }, empty: {} });
  expect(withoutPaths(patch, [])).toEqual(patch);
});
