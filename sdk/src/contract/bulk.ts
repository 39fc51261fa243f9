/** The same change to many devices, with a result for each. */
import { z } from 'zod';
import { Device } from './device.ts';
import { ErrorCode } from './errors.ts';
import { Id, Serial } from './ids.ts';
import { MAX_BULK_DEVICES } from './register.ts';

/** POST /orgs/:id/devices/assign: into a room of the organisation, or to another organisation of the caller. */
export const BulkAssignRequest = z
  .strictObject({
    serials: z.array(Serial).min(1).max(MAX_BULK_DEVICES),
    org_id: Id.optional().describe('Transfer to another organisation of the caller'),
    location_id: Id.nullable().optional().describe('null takes them out of their room'),
  })
  .refine((value) => value.org_id !== undefined || value.location_id !== undefined, {
    message: 'say where to: org_id, location_id or both',
  })
  .meta({ id: 'BulkAssignRequest' });
export type BulkAssignRequest = z.infer<typeof BulkAssignRequest>;

export const BulkAssignItem = z
  .object({
    serial: z.string(),
    ok: z.boolean(),
    device: Device.optional(),
    error: z.object({ code: ErrorCode, detail: z.string() }).optional(),
  })
  .meta({ id: 'BulkAssignItem' });
export type BulkAssignItem = z.infer<typeof BulkAssignItem>;

/** One result for each serial, in their order. */
export const BulkAssignReply = z
  .object({ results: z.array(BulkAssignItem), done: z.int(), failed: z.int() })
  .meta({ id: 'BulkAssignReply' });
export type BulkAssignReply = z.infer<typeof BulkAssignReply>;
