import { pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Queryable } from '../../../mqtt-bridge/src/db.ts';

const derive = promisify(pbkdf2);

/** One usable credential of a device. `id` is the hash itself: it changes exactly when the secret does. */
export interface LiveCredential {
  serial: string;
  password_hash: string;
  expires_at: Date | null;
}

/** Reads `ec.mqtt_credentials`, which holds only what may log in now; nothing is kept between calls. */
export async function readCredentials(db: Queryable, serials: string[]): Promise<LiveCredential[]> {
  return db.query<LiveCredential>(
    `select serial, password_hash, expires_at
       from ec.mqtt_credentials
      where serial = any($1::text[]) and not revoked and (expires_at is null or expires_at > now())`,
    [serials],
  );
}

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
