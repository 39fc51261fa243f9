/** What a device is told about an update, and what it says. */
import { z } from 'zod';
import { FwVersion, Id, ProductTypeKey } from './ids.ts';
import { OtaDeviceState } from './ota-job.ts';

/** Message on devices/<serial>/ota. One installation for each (job_id, attempt), however often it comes. */
export const OtaMessage = z.looseObject({
  url: z.url().describe('Good for an hour, without a credential; redirects'),
  version: FwVersion,
  job_id: Id,
  attempt: z.int().min(1),
  size: z.int(),
  sha256: z.string().describe('hex'),
  signature: z.string().describe('Ed25519 over sha256 (32 bytes) ‖ version ‖ product_type, base64'),
  product_type: ProductTypeKey,
});
export type OtaMessage = z.infer<typeof OtaMessage>;

export const OTA_REPORTS = [
  ...(['downloading', 'installing', 'rebooting'] as const),
  ...(['deferred', 'failed', 'rejected', 'rolled_back'] as const),
] as const;
export const MAX_OTA_REASON = 200;

/** On devices/<serial>/ota/status, and POST /devices/:serial/ota/status. */
export const OtaStatus = z
  .object({
    job_id: Id,
    attempt: z.int().min(1).optional().describe('Of the message; the current one when missing'),
    state: z.enum(OTA_REPORTS),
    percent: z.number().min(0).max(100).optional(),
    reason: z
      .string()
      .transform((text) => text.slice(0, MAX_OTA_REASON))
      .optional(),
    retry_s: z.int().min(0).max(86_400).optional().describe('deferred: when to ask again; 900'),
  })
  .meta({ id: 'OtaStatus' });
export type OtaStatus = z.output<typeof OtaStatus>;
export type OtaStatusInput = z.input<typeof OtaStatus>;

export const OtaStatusAccepted = z
  .object({
    job_id: Id,
    attempt: z.int(),
    state: OtaDeviceState,
    changed: z.boolean().describe('false: late, or said before'),
  })
  .meta({ id: 'OtaStatusAccepted' });
export type OtaStatusAccepted = z.infer<typeof OtaStatusAccepted>;
