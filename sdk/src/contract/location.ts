import { z } from 'zod';
import { Id, Name, Timestamp, TimeZone } from './ids.ts';

/** site → building → floor → room, one table. */
export const LocationType = z.enum(['site', 'building', 'floor', 'room']);
export type LocationType = z.infer<typeof LocationType>;

export const Location = z
  .object({
    id: Id,
    org_id: Id,
    parent_id: Id.nullable(),
    type: LocationType,
    name: z.string(),
    timezone: z.string().nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'Location' });
export type Location = z.infer<typeof Location>;

export const LocationCreate = z
  .strictObject({
    name: Name,
    type: LocationType,
    parent_id: Id.nullable().optional(),
    timezone: TimeZone.nullable().optional(),
  })
  .meta({ id: 'LocationCreate' });
export type LocationCreate = z.infer<typeof LocationCreate>;

export const LocationPatch = z
  .strictObject({
    name: Name.optional(),
    parent_id: Id.nullable().optional(),
    timezone: TimeZone.nullable().optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'send at least one field')
  .meta({ id: 'LocationPatch' });
export type LocationPatch = z.infer<typeof LocationPatch>;

/** A room with the names of the floor and the building it stands in. */
export const Room = z
  .object({
    id: Id,
    org_id: Id,
    parent_id: Id.nullable(),
    name: z.string(),
    floor: z.string().nullable(),
    building: z.string().nullable(),
    timezone: z.string().nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'Room' });
export type Room = z.infer<typeof Room>;

/** Floor and building are found by name, or created. */
export const RoomCreate = z
  .strictObject({ name: Name, floor: Name.optional(), building: Name.optional() })
  .meta({ id: 'RoomCreate' });
export type RoomCreate = z.infer<typeof RoomCreate>;
