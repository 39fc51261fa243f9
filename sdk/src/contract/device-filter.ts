/** Saved filters of an organisation's devices: for its lists, and as the target of update jobs. */
import { z } from 'zod';
import { DeviceStatus, Lifecycle } from './device.ts';
import { FwVersion, Id, Name, ProductTypeKey, Timestamp } from './ids.ts';

/** As in GET /devices; all that is named must hold. */
export const FilterFields = z
  .strictObject({
    room_id: Id.optional().describe('The room or any location above it'),
    location_id: Id.optional().describe('Another name of room_id'),
    product_type: ProductTypeKey.optional(),
    status: DeviceStatus.optional(),
    lifecycle: Lifecycle.optional(),
    tag: z.string().min(1).max(64).optional(),
    fw_version: FwVersion.optional(),
    q: z.string().trim().min(1).max(100).optional(),
  })
  .meta({ id: 'FilterFields' });
export type FilterFields = z.infer<typeof FilterFields>;

export const SavedFilter = z
  .object({
    id: Id,
    org_id: Id,
    name: Name,
    filter: FilterFields,
    created_by: z.string().nullable().describe('e-mail or key name'),
    created_at: Timestamp,
  })
  .meta({ id: 'SavedFilter' });
export type SavedFilter = z.infer<typeof SavedFilter>;

export const SavedFilterCreate = z
  .strictObject({ name: Name, filter: FilterFields })
  .meta({ id: 'SavedFilterCreate' });
export type SavedFilterCreate = z.infer<typeof SavedFilterCreate>;
