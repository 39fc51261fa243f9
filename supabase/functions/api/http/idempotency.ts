/** Idempotency-Key on POST: the first answer is kept for 24 hours, in the transaction of the work itself, so a
 *  parallel repeat waits for it. A kept answer never holds a secret. */
import type { Db } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { sha256Hex } from '../../_shared/secrets.ts';
import { Reply } from './route.ts';

const SANE_KEY = /^[\x21-\x7e]{1,255}$/;

export function readKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  if (SANE_KEY.test(header)) return header;
  throw new AppError('invalid_request', 'Idempotency-Key has 1 to 255 visible ASCII characters.');
}

/** The earlier answer, or null when the work is to be done now. Throws `conflict` when the key meant another request. */
export async function findReplay(db: Db, key: string, request: string): Promise<Reply<unknown> | null> {
  const [row] = await db<{ earlier: { status: number; response: unknown } | null }[]>`
    select ec.begin_idempotent(${key}, decode(${await sha256Hex(request)}, 'hex')) as earlier`;
  const earlier = row?.earlier ?? null;
  return earlier === null
    ? null
    : new Reply(earlier.status, earlier.response ?? undefined, { 'Idempotency-Replayed': 'true' });
}

export async function keepReply(db: Db, key: string, status: number, body: unknown): Promise<void> {
  const response = body === undefined ? null : JSON.stringify(body);
  await db`select ec.finish_idempotent(${key}, ${status}, ${response}::text::jsonb)`;
}
