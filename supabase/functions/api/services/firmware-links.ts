/** From an address that is ours to one of the store. Theirs live for minutes and serve ranges. */
import type { Db } from '../../_shared/db.ts';
import { asApi } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { sha256Hex } from '../../_shared/secrets.ts';
import type { FileStore } from '../../_shared/storage.ts';
import { missing } from './devices.ts';
import { readUpload } from './firmware-upload.ts';

const LIFE_S = 600;

/** What a link in a message to a device leads to: the link is the credential. Throws `not_found` and `expired`. */
export async function followLink(db: Db, store: FileStore, token: string): Promise<string> {
  const hash = await sha256Hex(token);
  const [row] = await asApi(
    db,
    () => db<{ link: { object_path: string; expired: boolean } | null }[]>`
      select ec.firmware_link(decode(${hash}, 'hex')) as link`,
  );
  const link = row?.link ?? null;
  if (link === null) throw missing();
  if (link.expired) throw new AppError('expired', 'This link has expired; the next message has a new one.');
  return store.linkTo(link.object_path, LIFE_S);
}

/** For people and keys with the right to upload. Throws `conflict` for what never became firmware. */
export async function fileOf(db: Db, store: FileStore, id: string): Promise<string> {
  const { object_path, filename, state } = await readUpload(db, id);
  if (state === 'uploading' || state === 'refused')
    throw new AppError('conflict', 'There is no file: the upload never became firmware.', { state });
  return store.linkTo(object_path, LIFE_S, filename);
}
