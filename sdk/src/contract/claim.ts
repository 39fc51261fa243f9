/** Claiming a device with the code of its QR: `/claim?serial=…&code=…`. */
import { z } from 'zod';
import { Device } from './device.ts';
import { Face } from './face.ts';
import { Id, ProductTypeKey, Serial, Timestamp } from './ids.ts';

/** 128 random bits as base64url; anything of that alphabet is looked up, so that a mistyped one is simply unknown. */
export const ClaimCode = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,64}$/, 'use the code as it is in the QR')
  .describe('Code out of the QR');
export type ClaimCode = z.infer<typeof ClaimCode>;

/** Each has a page of its own; a code that was never issued for the serial is a 404 like an unknown serial. */
export const ClaimState = z.enum([
  'claimable',
  'yours',
  'used',
  'expired',
  'reissued',
  'transferred',
  'unclaimed',
  'retired',
]);
export type ClaimState = z.infer<typeof ClaimState>;

export const ClaimPreviewRequest = z
  .strictObject({ serial: Serial, code: ClaimCode })
  .meta({ id: 'ClaimPreviewRequest' });
export type ClaimPreviewRequest = z.infer<typeof ClaimPreviewRequest>;

/** POST /claims/preview: what a scanned code stands for. */
export const ClaimPreview = z
  .object({
    state: ClaimState,
    serial: Serial,
    product_type: z.object({ key: ProductTypeKey, name: z.string() }),
    org: Face.nullable().describe('Who hands the device out'),
  })
  .meta({ id: 'ClaimPreview' });
export type ClaimPreview = z.infer<typeof ClaimPreview>;

export const ClaimRequest = z
  .strictObject({
    serial: Serial,
    code: ClaimCode,
    org_id: Id.optional().describe('Into this organisation of the caller; absent = into their portal'),
  })
  .meta({ id: 'ClaimRequest' });
export type ClaimRequest = z.infer<typeof ClaimRequest>;

export const Claimed = z
  .object({
    device: Device,
    place: z.enum(['org', 'portal']),
    home: z.string().describe("The device's page in the web app"),
  })
  .meta({ id: 'Claimed' });
export type Claimed = z.infer<typeof Claimed>;

/** The only reply that ever holds the code. */
export const ClaimCodeIssued = z
  .object({ code: z.string(), claim_url: z.url().nullable(), expires_at: Timestamp.nullable() })
  .meta({ id: 'ClaimCodeIssued' });
export type ClaimCodeIssued = z.infer<typeof ClaimCodeIssued>;

/** Of the newest code, without the code. */
export const ClaimCodeStatus = z
  .object({
    state: z.enum(['none', ...ClaimState.options]),
    created_at: Timestamp.nullable(),
    expires_at: Timestamp.nullable(),
    used_at: Timestamp.nullable(),
  })
  .meta({ id: 'ClaimCodeStatus' });
export type ClaimCodeStatus = z.infer<typeof ClaimCodeStatus>;

/** A stretch of time with one holder, room and customer; as far as the caller may know it. */
export const Tenure = z
  .object({
    started_at: Timestamp,
    ended_at: Timestamp.nullable(),
    org_name: z.string().nullable(),
    location_name: z.string().nullable(),
    customer_email: z.string().nullable(),
  })
  .meta({ id: 'Tenure' });
export type Tenure = z.infer<typeof Tenure>;
