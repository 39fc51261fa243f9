import type { Queryable } from '../db.ts';

/** One usable credential of a device; `password_hash` changes exactly when the secret does. */
export interface LiveCredential {
  serial: string;
  password_hash: string;
  /** End of a rotation's overlap, or null. */
  expires_at: Date | null;
}

/** What may log in now: of all devices, or of the given serials. Nothing is kept between calls. */
export async function readMqttCredentials(db: Queryable, serials?: string[]): Promise<LiveCredential[]> {
  return db.query<LiveCredential>(
    `select serial, password_hash, expires_at
       from ec.mqtt_credentials
      where ($1::text[] is null or serial = any($1)) and not revoked and (expires_at is null or expires_at > now())`,
    [serials ?? null],
  );
}
