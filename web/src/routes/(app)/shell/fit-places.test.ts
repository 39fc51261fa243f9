import { expect, it } from 'vitest';
import { fitPlaces } from './fit-places.ts';

it('a phone’s bar never has more than six buttons, and no place is lost', () => {
  expect(fitPlaces([1, 2, 3, 4, 5, 6])).toEqual({ shown: [1, 2, 3, 4, 5, 6], more: [] });
  expect(fitPlaces([1, 2, 3, 4, 5, 6, 7, 8])).toEqual({ shown: [1, 2, 3, 4, 5], more: [6, 7, 8] });
});
