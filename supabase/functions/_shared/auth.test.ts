import { expect, it } from 'vitest';
import { claimsOf, readCredential, standingQuery } from './auth.ts';

it.each([
  ['Bearer ec_live_abc', { kind: 'api_key', secret: 'ec_live_abc' }],
  ['bearer   ec_prov_abc', { kind: 'provisioning_key', secret: 'ec_prov_abc' }],
  ['Bearer ec_dev_abc', { kind: 'device', secret: 'ec_dev_abc' }],
  ['Bearer aaa.bbb.ccc', { kind: 'user', token: 'aaa.bbb.ccc' }],
])('%s', (header, expected) => {
  expect(readCredential(header)).toEqual(expected);
});

it.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Basic abc',
  'ec_live_abc',
  'Bearer a b',
  `Bearer ${'x'.repeat(9000)}`,
])('nothing can be made of %.20s', (header) => {
  expect(() => readCredential(header)).toThrow('Bearer');
});

it('claims of a key or a device carry its identity and nothing else', () => {
  expect(claimsOf({ kind: 'device', id: 'd-1', serial: 'EC-1' })).toEqual({
    role: 'authenticated',
    ec_kind: 'device',
    ec_id: 'd-1',
  });
});

it('a person without a session is not signed in', () => {
  const claims = { sub: 'u-1', role: 'authenticated', aud: 'authenticated' } as const;
  expect(standingQuery({ kind: 'user', id: 'u-1', claims })).toContain('select false as live');
});
