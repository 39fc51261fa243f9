import { z } from 'zod';
import { DeviceStatus } from './device.ts';
import { Face } from './face.ts';
import { Id, Timestamp } from './ids.ts';

/** GET /orgs/:id/overview: the five questions a fleet's home answers. */
export const OrgOverview = z
  .object({
    org_id: Id,
    server_time: Timestamp,
    counts: z.object({ total: z.int(), online: z.int(), offline: z.int(), never_seen: z.int() }),
    firmware: z.array(
      z.object({ product_type: z.string(), fw_version: z.string().nullable(), devices: z.int() }),
    ),
    exceptions: z.array(
      z.object({
        kind: z
          .enum(['offline', 'stale', 'dead_letters', 'never_seen'])
          .describe('stale: reachable, but its telemetry is older than its online window'),
        serial_no: z.string(),
        name: z.string().nullable(),
        location_name: z.string().nullable(),
        since: Timestamp,
        count: z.int().nullable(),
        reason: z.string().nullable(),
      }),
    ),
    exceptions_total: z.int(),
    rooms: z.array(
      z.object({
        id: Id,
        name: z.string(),
        path: z.string().nullable(),
        devices: z.int(),
        online: z.int(),
        values: z.record(z.string(), z.number()).describe('Mean of the online devices of the room'),
        at: Timestamp.nullable(),
      }),
    ),
    activity: z.array(
      z.object({
        at: Timestamp,
        action: z.string(),
        actor_label: z.string().nullable(),
        target_kind: z.string().nullable(),
        target_id: z.string().nullable(),
        target_label: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'OrgOverview' });
export type OrgOverview = z.infer<typeof OrgOverview>;

/** GET /rooms/:id: a room as its tenant sees it. */
export const RoomClimate = z
  .object({
    id: Id,
    name: z.string(),
    path: z.string().nullable(),
    timezone: z.string(),
    org_id: Id,
    org: Face,
    org_name: z.string(),
    contact_email: z.string().nullable(),
    values: z.record(z.string(), z.number()),
    at: Timestamp.nullable(),
    status: DeviceStatus,
  })
  .meta({ id: 'RoomClimate' });
export type RoomClimate = z.infer<typeof RoomClimate>;
