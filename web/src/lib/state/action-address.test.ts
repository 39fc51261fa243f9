import { expect, it } from 'vitest';
import { withoutAction } from './action-address.ts';

it.each([
  ['http://a.test/claim?/send', 'http://a.test/claim'],
  ['http://a.test/sign-in?next=%2Forg&/password', 'http://a.test/sign-in?next=%2Forg'],
  ['http://a.test/account?/name=#top', 'http://a.test/account#top'],
])('%s becomes %s', (address, expected) => {
  expect(withoutAction(address)).toBe(expected);
});

it.each(['http://a.test/claim', 'http://a.test/org/devices?q=/x', 'http://a.test/?tab=users'])(
  '%s stays as it is',
  (address) => {
    expect(withoutAction(address)).toBeNull();
  },
);
