import { z } from 'zod';
import { Id, Timestamp } from './ids.ts';
import { PageQuery } from './page.ts';
import { RejectReason } from './packet-limits.ts';

export const Door = z.enum(['mqtt', 'https']);
export type Door = z.infer<typeof Door>;

/** A packet that was refused, with the reason. Kept for the org to see. */
export const DeadLetter = z
  .object({
    id: z.int(),
    org_id: Id.nullable(),
    device_id: Id.nullable(),
    serial: z.string().nullable(),
    door: Door,
    reason: RejectReason,
    detail: z.string().nullable(),
    payload: z.string().nullable().describe('Escaped, at most 8 KB'),
    payload_bytes: z.int().describe('Size as received'),
    received_at: Timestamp,
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.infer<typeof DeadLetter>;

export const DeadLetterQuery = PageQuery.extend({
  reason: RejectReason.optional(),
  serial: z.string().max(64).optional(),
});
export type DeadLetterQuery = z.infer<typeof DeadLetterQuery>;
