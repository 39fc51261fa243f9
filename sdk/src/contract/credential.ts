import { z } from 'zod';
import { Id, Serial, Timestamp } from './ids.ts';
import { DeviceSecrets } from './register.ts';

/** A secret of a device, without the secret. */
export const DeviceCredential = z
  .object({
    id: Id,
    serial: Serial,
    issued_by_kind: z.string().nullable(),
    issued_by_id: Id.nullable(),
    issued_by_label: z.string().nullable(),
    created_at: Timestamp,
    first_used_at: Timestamp.nullable(),
    last_used_at: Timestamp.nullable(),
    expires_at: Timestamp.nullable(),
    revoked_at: Timestamp.nullable(),
  })
  .meta({ id: 'DeviceCredential' });
export type DeviceCredential = z.infer<typeof DeviceCredential>;

/** The old secret keeps working for `overlap_s` seconds, so that a fleet can be moved without a gap. */
export const RotateRequest = z
  .strictObject({
    overlap_s: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(3600),
  })
  .meta({ id: 'RotateRequest' });
export type RotateRequest = z.infer<typeof RotateRequest>;

export const RotateReply = DeviceSecrets.omit({ claim_url: true })
  .extend({ id: Id, old_expires_at: Timestamp.nullable().describe('When the secret before it ends') })
  .meta({ id: 'RotateReply' });
export type RotateReply = z.infer<typeof RotateReply>;
