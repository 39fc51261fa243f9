import { pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** Checks a password against Mosquitto's own form, `$7$<iterations>$<base64 salt>$<base64 PBKDF2-SHA512>`. */
export async function passwordMatches(hash: string, password: Buffer): Promise<boolean> {
  const [, scheme, iterations, salt, key] = hash.split('$');
  if (scheme !== '7' || !iterations || !salt || !key) return false;
  const expected = Buffer.from(key, 'base64');
  if (expected.length === 0) return false;
  const rounds = Number.parseInt(iterations, 10);
  if (!(rounds >= 1 && rounds <= 1_000_000)) return false;
  const actual = await derive(password, Buffer.from(salt, 'base64'), rounds, expected.length, 'sha512');
  return timingSafeEqual(actual, expected);
}
