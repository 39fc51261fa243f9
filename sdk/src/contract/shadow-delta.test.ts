import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeShadow, sameValue, shadowDelta } from './mod.ts';

const key = fc.constantFrom('relay', 'setpoint', 'pid', 'mode', 'led');
const { document } = fc.letrec<{ value: unknown; document: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.boolean(),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom('a', 'b'),
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
    tie('document'),
  ),
  document: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));

describe('the delta', () => {
  it('is what differs, key by key in objects, arrays and scalars as a whole', () => {
    expect(
      shadowDelta(
        { relay: true, pid: { kp: 1, ki: 2 }, days: [1, 2], temp: 21.0, led: { on: true } },
        { relay: true, pid: { kp: 1, ki: 3 }, days: [2, 1], temp: 21, led: 5, extra: 1 },
      ),
    ).toEqual({ pid: { ki: 2 }, days: [1, 2], led: { on: true } });
  });

  it('is empty exactly when the device did everything', () => {
    fc.assert(
      fc.property(document, document, (desired, reported) => {
        const done = mergeShadow(reported, desired);
        expect(shadowDelta(desired, done)).toEqual({});
        const delta = shadowDelta(desired, reported);
        expect(shadowDelta(desired, mergeShadow(reported, delta))).toEqual({});
      }),
    );
  });
});

describe('merging', () => {
  it('removes with null at any depth, and replaces arrays', () => {
    expect(
      mergeShadow({ a: 1, pid: { kp: 1, ki: 2 }, days: [1] }, { a: null, pid: { ki: null }, days: [] }),
    ).toEqual({ pid: { kp: 1 }, days: [] });
  });

  it('the same patch twice changes nothing more', () => {
    fc.assert(
      fc.property(document, document, (start, patch) => {
        const once = mergeShadow(start, patch);
        expect(sameValue(mergeShadow(once, patch), once)).toBe(true);
      }),
    );
  });
});
