import type { Queryable } from '../db.ts';

/** One usable credential of a device; `password_hash` changes exactly when the secret does. */
export interface LiveCredential {
  serial: string;
  password_hash: string;
}

/** What may log in now, newest first: of all devices, or of the given serials. Nothing is kept between calls. */
export async function readMqttCredentials(db: Queryable, serials?: string[]): Promise<LiveCredential[]> {
  return db.query<LiveCredential>(
    `select serial, password_hash
       from ec.mqtt_credentials
      where $1::text[] is null or serial = any($1)
      order by created_at desc`,
    [serials ?? null],
  );
}
