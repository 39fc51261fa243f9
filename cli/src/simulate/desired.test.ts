import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DesiredShadow, type Document } from './desired.ts';

it('obeys the retained document as long as it knows no version', () => {
  const shadow = new DesiredShadow();
  expect(shadow.takePlain({ relay: true })).toEqual({ relay: true });
  expect(shadow.takePlain({ relay: true })).toBe(null);
  expect(shadow.takePlain({ relay: false })).toEqual({ relay: false });
  expect(shadow.takeVersioned(4, { relay: false })).toBe(null);
  expect(shadow.takePlain({ relay: true })).toBe('ask');
  expect(shadow.takeVersioned(3, { relay: true })).toBe(null);
  shadow.forget();
  expect(shadow.takePlain({ relay: true })).toEqual({ relay: true });
});

it('ends with the newest version in whatever order, however often and with whatever restarts they come', () => {
  type Step = number | 'restart';
  const documents = (count: number): Document[] =>
    Array.from({ length: count }, (_, version) => ({ setpoint: version % 3, relay: version % 2 === 0 }));
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(9), fc.constant('restart' as const))), (steps: Step[]) => {
      const all = documents(10);
      const shadow = new DesiredShadow();
      let obeyed: Document = {};
      const take = (version: number): void => {
        obeyed = shadow.takeVersioned(version, all[version]!) ?? obeyed;
      };
      for (const step of steps) {
        if (step === 'restart') {
          shadow.forget();
          obeyed = {};
        } else take(step);
      }
      // Whatever came before: the answer to shadow/get is the newest one.
      take(9);
      expect(obeyed).toEqual(all[9]);
      for (const step of steps) if (step !== 'restart') take(step);
      expect(obeyed).toEqual(all[9]);
    }),
  );
});
