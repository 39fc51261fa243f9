/** Claiming a room with the code of its QR, `/claim-room?room_id=…&code=…`, and the codes themselves. */
import { z } from 'zod';
import { Face } from './face.ts';
import { Id, Timestamp, TimestampInput } from './ids.ts';
import { Membership } from './member.ts';

/** Printed in capitals without I, L, O and U; typed by hand as anybody types. */
export const RoomCodeText = z
  .string()
  .max(64)
  .transform((text) => text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1'))
  .pipe(z.string().regex(/^[0-9A-Z]{8,32}$/, 'use the code as it is on the sheet'))
  .meta({ type: 'string', description: 'Code on the sheet of the room' });

export const RoomClaimRequest = z
  .strictObject({ room_id: Id, code: RoomCodeText })
  .meta({ id: 'RoomClaimRequest' });
export type RoomClaimRequest = z.output<typeof RoomClaimRequest>;

/** POST /room-claims/preview: shown before anybody signs in. */
export const RoomClaimPreview = z
  .object({ room: z.object({ id: Id, name: z.string() }), org: Face })
  .meta({ id: 'RoomClaimPreview' });
export type RoomClaimPreview = z.infer<typeof RoomClaimPreview>;

export const RoomClaimed = z.object({ membership: Membership, home: z.string() }).meta({ id: 'RoomClaimed' });
export type RoomClaimed = z.infer<typeof RoomClaimed>;

/** Codes are derived, not stored, so a sheet can be printed again. `code` is null while there is none. */
export const RoomCode = z
  .object({
    room_id: Id,
    code: z.string().nullable(),
    claim_url: z.url().nullable(),
    created_at: Timestamp.nullable(),
    expires_at: Timestamp.nullable(),
    version: z.int().describe('How many codes the room has had'),
  })
  .meta({ id: 'RoomCode' });
export type RoomCode = z.infer<typeof RoomCode>;

/** POST /rooms/:id/code: a new code; the one before ends at once. */
export const RoomCodeRotate = z
  .strictObject({
    expires_at: TimestampInput.nullable().optional(),
    end_tenants: z.boolean().default(false).describe('Also moves everybody out'),
  })
  .meta({ id: 'RoomCodeRotate' });
export type RoomCodeRotate = z.output<typeof RoomCodeRotate>;
export type RoomCodeRotateInput = z.input<typeof RoomCodeRotate>;

export const MAX_ROOM_SHEETS = 200;
export const RoomCodesRequest = z
  .strictObject({ room_ids: z.array(Id).min(1).max(MAX_ROOM_SHEETS) })
  .meta({ id: 'RoomCodesRequest' });
export type RoomCodesRequest = z.infer<typeof RoomCodesRequest>;

/** What a printed sheet says; a room without a code gets one. */
export const RoomSheet = z
  .object({
    room_id: Id,
    name: z.string(),
    path: z.string().nullable(),
    code: z.string().nullable(),
    claim_url: z.url().nullable(),
  })
  .meta({ id: 'RoomSheet' });
export type RoomSheet = z.infer<typeof RoomSheet>;

/** GET /rooms/:id/tenants. `id` is the membership: ending it moves the tenant out. */
export const RoomTenant = z
  .object({
    id: Id,
    user_id: Id,
    email: z.string().nullable(),
    full_name: z.string().nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'RoomTenant' });
export type RoomTenant = z.infer<typeof RoomTenant>;
