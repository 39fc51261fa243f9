import { expect, it } from 'vitest';
import { clientAddress, limitAddress, toAddress } from './client-address.ts';

const asked = (
  headers: Record<string, string>,
  trustedProxies: number,
  webSecret: string | null = null,
): string | null => clientAddress((name) => headers[name], '10.0.0.9', { trustedProxies, webSecret });

it('without trusted proxies the socket counts, whatever a header says', () => {
  expect(asked({ 'x-forwarded-for': '1.2.3.4' }, 0)).toBe('10.0.0.9');
});

it('with n trusted proxies the n-th hop from the right counts, so what a caller puts before it does not', () => {
  const forged = { 'x-forwarded-for': '6.6.6.6, 1.2.3.4, 172.16.0.1' };
  expect(asked(forged, 1)).toBe('172.16.0.1');
  expect(asked(forged, 2)).toBe('1.2.3.4');
});

it('a request that went round the proxies counts as its socket', () => {
  expect(asked({ 'x-forwarded-for': '6.6.6.6' }, 2)).toBe('10.0.0.9');
  expect(asked({}, 1)).toBe('10.0.0.9');
  expect(asked({ 'x-forwarded-for': 'unknown' }, 1)).toBe('10.0.0.9');
});

it('the web server speaks for its visitor with its secret, nobody does without', () => {
  const visitor = { 'x-ec-client-address': '9.9.9.9' };
  expect(asked({ ...visitor, 'x-ec-web-secret': 's3cret' }, 0, 's3cret')).toBe('9.9.9.9');
  expect(asked({ ...visitor, 'x-ec-web-secret': 'wrong!' }, 0, 's3cret')).toBe('10.0.0.9');
  expect(asked(visitor, 0, 's3cret')).toBe('10.0.0.9');
  expect(asked({ ...visitor, 'x-ec-web-secret': '' }, 0, null)).toBe('10.0.0.9');
});

it.each([
  ['1.2.3.4', '1.2.3.4'],
  [' 1.2.3.4:5678 ', '1.2.3.4'],
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['[2001:DB8::1]:443', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['1.2.3.400', null],
  ['1::2::3', null],
  ['1:2:3', null],
  ['', null],
  ["'; drop table", null],
])('%j is read as %j', (text, expected) => {
  expect(toAddress(text)).toBe(expected);
});

it('all addresses of one IPv6 network are one caller', () => {
  expect(limitAddress('2001:db8:0:7::1')).toBe('2001:db8:0:7::/64');
  expect(limitAddress('2001:db8::7:1:2:3:4')).toBe('2001:db8:0:7::/64');
  expect(limitAddress('::1')).toBe('0:0:0:0::/64');
  expect(limitAddress('1.2.3.4')).toBe('1.2.3.4');
});
