import { createHash, pbkdf2Sync } from 'node:crypto';
import { expect, it } from 'vitest';
import { hashSecret, makeClaimCode, makeSecret, toHex } from './secrets.ts';

it('secrets say what they are and hold 256 random bits', () => {
  expect(makeSecret('api_key')).toMatch(/^ec_live_[\w-]{43}$/);
  expect(makeSecret('provisioning_key')).toMatch(/^ec_prov_[\w-]{43}$/);
  expect(makeSecret('device')).toMatch(/^ec_dev_[\w-]{43}$/);
  expect(makeClaimCode()).toMatch(/^[\w-]{22}$/);
  expect(new Set(Array.from({ length: 100 }, () => makeSecret('device'))).size).toBe(100);
});

it('hashes are the forms that Postgres looks up and that brokers check', async () => {
  const { secret_sha256, password_hash, salt } = await hashSecret('ec_dev_test');
  expect(toHex(secret_sha256)).toBe(createHash('sha256').update('ec_dev_test').digest('hex'));
  expect(salt).toMatch(/^[\w-]{12}$/);
  const hash = pbkdf2Sync('ec_dev_test', salt, 101, 64, 'sha512').toString('base64');
  expect(password_hash).toBe(`$7$101$${Buffer.from(salt).toString('base64')}$${hash}`);
  expect((await hashSecret('ec_dev_test')).salt).not.toBe(salt);
});
