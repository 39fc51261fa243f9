/** Uploading firmware: the file goes straight into storage, then it is read once, checked and signed. */
import { MAX_FIRMWARE_BYTES } from '@edgeconductor/sdk/contract';
import type { Firmware, FirmwareCreate, FirmwareUpload } from '@edgeconductor/sdk/contract';
import type { Actor } from '../../_shared/auth.ts';
import { asApi } from '../../_shared/db.ts';
import type { Db } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { toHex } from '../../_shared/secrets.ts';
import type { FileStore } from '../../_shared/storage.ts';
import { shown } from './firmware.ts';
import type { StoredFirmware } from './firmware.ts';
import { checkImage, isRefusal } from './image-check.ts';
import type { ImageFacts, Refusal } from './image-check.ts';
import { sign, signedMessage } from './signing-keys.ts';

/** A row that waits for its file, and where the file goes. */
export async function beginUpload(
  db: Db,
  store: FileStore,
  actor: Actor,
  input: FirmwareCreate,
): Promise<FirmwareUpload> {
  const orgId = input.org_id ?? (await ownOrg(db, actor));
  const [row] = await db<{ firmware: StoredFirmware }[]>`
    select ec.begin_firmware(${orgId}, ${input.product_type}, ${input.version ?? null}, ${input.filename},
      ${input.size}::bigint, ${input.notes ?? ''}, ${input.raw}) as firmware`;
  const { firmware } = row as { firmware: StoredFirmware };
  await clearLeftovers(db, store, orgId);
  const ticket = await store.uploadTo(firmware.object_path);
  return {
    firmware: shown(firmware),
    upload: { ...ticket, method: 'PUT' },
    max_bytes: MAX_FIRMWARE_BYTES,
  };
}

/**
 * Reads the file back, checks and signs it. A refusal is returned, not thrown: the row keeps why. Repeating it says
 * the same again. Throws `conflict` when nothing was uploaded yet.
 */
export async function finishUpload(db: Db, store: FileStore, id: string): Promise<Firmware | AppError> {
  const firmware = await readUpload(db, id);
  if (firmware.state === 'ready') return shown(firmware);
  if (firmware.state !== 'uploading') return ended(firmware);
  const file = await store.read(firmware.object_path);
  if (file === null) {
    throw new AppError('conflict', 'The file is not there yet: PUT it to the upload address first.', {
      reason: 'not_uploaded',
    });
  }
  const found = await checkImage(file, { raw: firmware.raw, maxBytes: MAX_FIRMWARE_BYTES });
  const refusal = isRefusal(found) ? found : sizeRefusal(firmware, found);
  if (refusal) {
    await asApi(db, async () => db`select ec.refuse_firmware(${id}, ${refusal.reason})`);
    await store.remove(firmware.object_path);
    return refused(refusal);
  }
  const stored = await decide(db, firmware, found as ImageFacts);
  if (stored.state === 'ready') return shown(stored);
  await store.remove(firmware.object_path);
  return refused({ reason: stored.refused_reason as Refusal['reason'], detail: stored.detail ?? '' });
}

/** What was begun or is there, for whoever may upload. Throws `not_found` and `forbidden`. */
export async function readUpload(db: Db, id: string): Promise<StoredFirmware> {
  const [row] = await db<{ firmware: StoredFirmware }[]>`select ec.read_upload(${id}) as firmware`;
  return (row as { firmware: StoredFirmware }).firmware;
}

async function decide(
  db: Db,
  firmware: StoredFirmware,
  { size, sha256, header }: ImageFacts,
): Promise<StoredFirmware> {
  // As the database decides it: what was said counts, else the header, without a leading v.
  const version = firmware.version ?? header?.version.replace(/^[vV](?=\d)/, '') ?? '';
  const owner = { product_type: firmware.product_type, maker_org_id: firmware.org_id };
  const facts = {
    size,
    sha256: toHex(sha256),
    signature: await sign(db, owner, signedMessage(sha256, version, firmware.product_type)),
    chip: header?.chip ?? null,
    project: header?.project ?? null,
    version: header?.version ?? null,
    idf_version: header?.idf_version ?? null,
  };
  const [row] = await asApi(
    db,
    () => db<{ firmware: StoredFirmware }[]>`
      select ec.finish_firmware(${firmware.id}, ${JSON.stringify(facts)}::text::jsonb) as firmware`,
  );
  return (row as { firmware: StoredFirmware }).firmware;
}

function sizeRefusal(firmware: Firmware, { size }: ImageFacts): Refusal | null {
  if (size === firmware.size) return null;
  const detail = `The file has ${size} bytes, ${firmware.size} were announced: it did not arrive whole.`;
  return { reason: 'size_mismatch', detail };
}

function refused({ reason, detail }: Refusal): AppError {
  if (reason === 'duplicate_version') return new AppError('conflict', detail, { reason });
  return new AppError(reason === 'too_large' ? 'too_large' : 'unprocessable', detail, { reason });
}

/** What uploads left behind that nobody finished. */
async function clearLeftovers(db: Db, store: FileStore, orgId: string): Promise<void> {
  const [row] = await asApi(
    db,
    () => db<{ paths: string[] }[]>`select to_jsonb(ec.abandon_uploads(${orgId}::uuid)) as paths`,
  );
  for (const path of row?.paths ?? []) await store.remove(path);
}

/** Somebody finished it before. */
function ended({ state, refused_reason: reason }: Firmware): AppError {
  if (state === 'retired' || reason === null)
    return new AppError('conflict', 'This firmware is retired.', { state });
  if (reason === 'replaced')
    return new AppError('conflict', 'Another upload of this version took its place.', { reason });
  if (reason === 'abandoned')
    return new AppError('conflict', 'This upload was not finished in time; begin again.', { reason });
  return refused({ reason, detail: `This upload was refused (${reason}); begin again.` });
}

/** Of a key its own, of a person the only one. Throws `invalid_request` when it has to be said. */
async function ownOrg(db: Db, actor: Actor): Promise<string> {
  if (actor.kind === 'api_key') return actor.orgId;
  const orgs = await db<{ id: string }[]>`
    select distinct m.org_id as id from public.memberships m
    where m.user_id = (select private.my_user_id()) and m.org_id is not null and m.ended_at is null`;
  const [org] = orgs;
  if (org === undefined || orgs.length > 1)
    throw new AppError('invalid_request', 'Say for which organisation with org_id.', {
      issues: [{ path: ['org_id'], code: 'custom', message: 'is required' }],
    });
  return org.id;
}
