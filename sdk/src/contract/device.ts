import { z } from 'zod';
import { FwVersion, Id, Name, ProductTypeKey, Serial, Timestamp } from './ids.ts';
import { isMetricKey } from './packet-limits.ts';
import { Cursor, DEFAULT_LIMIT, MAX_LIMIT, countParam } from './page.ts';

/** By `last_seen`, the arrival of the last accepted message through any door. */
export const DeviceStatus = z.enum(['online', 'offline', 'never_seen']);
export type DeviceStatus = z.infer<typeof DeviceStatus>;

/** `active` begins with the first packet. */
export const Lifecycle = z.enum(['manufactured', 'claimed', 'active', 'retired']);
export type Lifecycle = z.infer<typeof Lifecycle>;

/** Keys and values of a shadow or of attributes. */
export const ShadowDocument = z.record(z.string(), z.unknown());
export type ShadowDocument = z.infer<typeof ShadowDocument>;

export const Device = z
  .object({
    id: Id,
    serial_no: Serial,
    product_type: ProductTypeKey,
    fw_version: FwVersion.nullable(),
    pending_fw_version: FwVersion.nullable(),
    name: z.string().nullable(),
    status: DeviceStatus,
    lifecycle: Lifecycle,
    connected: z.boolean().describe('Has a session at the broker right now'),
    last_seen: Timestamp.nullable(),
    last_telemetry_at: Timestamp.nullable(),
    last_door: z.enum(['mqtt', 'https']).nullable(),
    online_window_s: z.int().describe('Seconds of silence after which it counts as offline'),
    org_id: Id,
    location_id: Id.nullable(),
    location_name: z.string().nullable(),
    room_path: z.string().nullable().describe('e.g. Building A · 2nd floor · Lab'),
    customer_id: Id.nullable(),
    shadow_reported: ShadowDocument,
    reported_at: Timestamp.nullable(),
    older: z.record(z.string(), Timestamp).describe('Keys that the newest packet did not carry → their time'),
    shadow_desired: ShadowDocument,
    desired_version: z.int(),
    desired_times: ShadowDocument.describe('The keys of desired → when each was last changed'),
    attributes: ShadowDocument,
    tags: z.array(z.string()),
    claimed_at: Timestamp.nullable(),
    activated_at: Timestamp.nullable(),
    retired_at: Timestamp.nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'Device' });
export type Device = z.infer<typeof Device>;

const Tag = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} _.:-]{0,39}$/u, 'a tag has up to 40 letters, digits, " _.:-"');

/** Free key/values of a device, e.g. a purchase order. */
const Attributes = z
  .record(z.string(), z.union([z.string().max(1024), z.number(), z.boolean(), z.null()]))
  .refine((value) => Object.keys(value).length <= 50, 'at most 50 attributes')
  .refine((value) => Object.keys(value).every(isMetricKey), 'attribute names are letters, digits and "_"');

/** PATCH /devices/:serial. Absent = unchanged; in `attributes` null removes a key. */
export const DevicePatch = z
  .strictObject({
    name: Name.nullable().optional(),
    tags: z.array(Tag).max(50).optional(),
    attributes: Attributes.optional(),
    online_window_s: z
      .int()
      .min(5)
      .max(30 * 86_400)
      .nullable()
      .optional(),
    location_id: Id.nullable().optional(),
    org_id: Id.optional().describe('Transfer to another organisation of the caller'),
  })
  .refine((value) => Object.keys(value).length > 0, 'send at least one field')
  .meta({ id: 'DevicePatch' });
export type DevicePatch = z.infer<typeof DevicePatch>;

export const DeviceLocationPatch = z
  .strictObject({ location_id: Id.nullable() })
  .meta({ id: 'DeviceLocationPatch' });
export type DeviceLocationPatch = z.infer<typeof DeviceLocationPatch>;

export const DEVICE_SORTS = ['serial', 'name', 'last_seen', 'product_type', 'status'] as const;
export const DeviceSort = z.enum([...DEVICE_SORTS, ...DEVICE_SORTS.map((key) => `-${key}` as const)]);
export type DeviceSort = z.infer<typeof DeviceSort>;

export const DeviceListQuery = z.object({
  org_id: Id.optional(),
  room_id: Id.optional().describe('The room or any location above it'),
  tenant_id: Id.optional().describe('Legacy alias of room_id'),
  product_type: ProductTypeKey.optional(),
  status: DeviceStatus.optional(),
  lifecycle: Lifecycle.optional(),
  tag: z.string().max(64).optional(),
  q: z.string().trim().min(1).max(100).optional().describe('Part of the serial number or the name'),
  fw_version: FwVersion.optional(),
  sort: DeviceSort.default('serial').describe('A leading - turns the order round'),
  limit: countParam(MAX_LIMIT, DEFAULT_LIMIT),
  after: Cursor.optional(),
  before: Cursor.optional(),
  format: z.enum(['json', 'csv']).default('json').describe('csv: all that fits, up to 10,000 lines'),
});
export type DeviceListQuery = z.infer<typeof DeviceListQuery>;
export type DeviceListInput = z.input<typeof DeviceListQuery>;
