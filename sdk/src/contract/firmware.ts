/** Firmware: an image, what it says about itself, and the signature its devices check before they install it. */
import { z } from 'zod';
import { FwVersion, Id, Name, ProductTypeKey, Timestamp } from './ids.ts';
import { PageQuery } from './page.ts';

export const MAX_FIRMWARE_BYTES = 32 * 1024 * 1024;
/** The app descriptor of an ESP32 has room for 31 characters. */
export const FIRMWARE_VERSION_PATTERN = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,30}$/;
/** What the signing key signs: sha256 of the file (32 bytes), then version and product type as UTF-8. */
export const SIGNATURE_ALGORITHM = 'Ed25519';

export const FIRMWARE_STATES = ['uploading', 'ready', 'refused', 'retired'] as const;
export const FirmwareState = z.enum(FIRMWARE_STATES);
export type FirmwareState = z.infer<typeof FirmwareState>;

/** Why an upload was refused: `reason` of the problem, and `refused_reason` of the firmware; replaced = begun again,
 * abandoned = never finished. */
export const FIRMWARE_REASONS = [
  'empty_file',
  'too_large',
  'size_mismatch',
  'not_an_image',
  'truncated_image',
  'corrupt_image',
  'wrong_chip',
  'version_missing',
  'version_mismatch',
  'invalid_version',
  'duplicate_version',
  'replaced',
  'abandoned',
] as const;
export const FirmwareReason = z.enum(FIRMWARE_REASONS);
export type FirmwareReason = z.infer<typeof FirmwareReason>;

export const Firmware = z
  .object({
    id: Id,
    org_id: Id.describe('The maker who uploaded it'),
    product_type: ProductTypeKey,
    version: FwVersion.nullable().describe('null until the header of an upload was read'),
    notes: z.string(),
    filename: z.string(),
    size: z.int().describe('Bytes'),
    sha256: z.string().nullable().describe('Of the file, hex'),
    signature: z.string().nullable().describe('Ed25519 over sha256 ‖ version ‖ product type, base64'),
    chip: z.string().nullable().describe('Out of the image header, e.g. esp32'),
    project: z.string().nullable(),
    idf_version: z.string().nullable(),
    raw: z.boolean().describe('No ESP32 image: nothing in it was checked but its size'),
    state: FirmwareState,
    refused_reason: FirmwareReason.nullable(),
    created_by: z.string().nullable().describe('e-mail or key name'),
    created_by_kind: z.string().nullable(),
    created_at: Timestamp,
    ready_at: Timestamp.nullable(),
  })
  .meta({ id: 'Firmware' });
export type Firmware = z.infer<typeof Firmware>;

const Notes = z.string().trim().max(4000);

export const FirmwareCreate = z
  .strictObject({
    org_id: Id.optional().describe('Needed by people of several organisations'),
    product_type: ProductTypeKey,
    version: z.string().trim().min(1).max(64).optional().describe('As in the image header, which counts'),
    filename: Name,
    size: z.int().min(0).describe('Bytes'),
    notes: Notes.optional(),
    raw: z.boolean().default(false).describe('No ESP32 image; needs a version'),
  })
  .meta({ id: 'FirmwareCreate' });
export type FirmwareCreate = z.output<typeof FirmwareCreate>;
export type FirmwareCreateInput = z.input<typeof FirmwareCreate>;

/** Where to put the file: straight into storage, then POST /firmware/:id/finish. */
export const FirmwareUpload = z
  .object({
    firmware: Firmware,
    upload: z.object({
      url: z.url(),
      method: z.literal('PUT'),
      headers: z.record(z.string(), z.string()),
      expires_at: Timestamp,
    }),
    max_bytes: z.int(),
  })
  .meta({ id: 'FirmwareUpload' });
export type FirmwareUpload = z.infer<typeof FirmwareUpload>;

export const FirmwarePatch = z.strictObject({ notes: Notes.nullable() }).meta({ id: 'FirmwarePatch' });
export type FirmwarePatch = z.infer<typeof FirmwarePatch>;

export const FirmwareListQuery = PageQuery.extend({
  org_id: Id.optional(),
  product_type: ProductTypeKey.optional(),
  state: FirmwareState.optional(),
});
export type FirmwareListQuery = z.infer<typeof FirmwareListQuery>;

/** The public half of what a maker signs firmware of a product type with; devices got it when they registered. */
export const SigningKey = z
  .object({
    product_type: ProductTypeKey,
    public_key: z.string().describe('Ed25519, 32 bytes, base64'),
    created_at: Timestamp,
  })
  .meta({ id: 'SigningKey' });
export type SigningKey = z.infer<typeof SigningKey>;

/** POST /devices/:serial/ota: a job for one device. */
export const OtaPush = z
  .strictObject({
    firmware_id: Id,
    force: z.boolean().default(false).describe('Also when it is not newer than what the device has'),
  })
  .meta({ id: 'OtaPush' });
export type OtaPush = z.output<typeof OtaPush>;
