import { expect, it } from 'vitest';
import { hashPassword } from '../../../mqtt-bridge/src/broker-agent/files.ts';
import { passwordMatches } from './password.ts';

it('accepts what mosquitto_passwd makes of the password', async () => {
  // mosquitto_passwd -b file EC-1 ec_dev_secret (2.0.11)
  const made =
    '$7$101$Nr8HMK/+sQvlMRB8$7X9Qc2rw4Wy1HnEwP8HJjkiWyWiUXJ8+Pl5dBGNIi63e7bgdWcoNcT8IKE6K7WlP4v8MhNHcRw0RuyeLbI/4PQ==';
  expect(await passwordMatches(made, Buffer.from('ec_dev_secret'))).toBe(true);
  expect(await passwordMatches(made, Buffer.from('ec_dev_other'))).toBe(false);
  expect(await passwordMatches(hashPassword('ec_dev_secret'), Buffer.from('ec_dev_secret'))).toBe(true);
});

it.each([
  '',
  '$6$salt$key',
  '$7$0$c2FsdA==$a2V5',
  '$7$x$c2FsdA==$a2V5',
  '$7$101$c2FsdA==$',
  '$7$99999999$c2FsdA==$a2V5',
])('accepts nothing for the hash %j', async (hash) =>
  expect(await passwordMatches(hash, Buffer.from(''))).toBe(false),
);
