import { z } from 'zod';
import { ApiScope } from './api-key.ts';
import { Id, Slug } from './ids.ts';
import { ROLES } from './roles.ts';

export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

export const Membership = z
  .object({
    id: Id,
    role: Role,
    partner_id: Id.nullable(),
    partner_name: z.string().nullable(),
    org_id: Id.nullable(),
    org_name: z.string().nullable(),
    org_slug: Slug.nullable(),
    location_id: Id.nullable(),
    location_name: z.string().nullable(),
  })
  .meta({ id: 'Membership' });
export type Membership = z.infer<typeof Membership>;

/** GET /me: who the credential is. `home` follows the widest role of a person. */
export const Me = z
  .object({
    kind: z.enum(['user', 'api_key', 'provisioning_key']),
    id: Id,
    email: z.string().nullable(),
    full_name: z.string().nullable(),
    preferences: z.record(z.string(), z.unknown()),
    role: Role.nullable().describe('The widest one'),
    home: z.string().nullable(),
    memberships: z.array(Membership).describe('The live ones'),
    name: z.string().nullable().describe('Of a key'),
    org_id: Id.nullable().describe('Of a key'),
    scopes: z.array(ApiScope).nullable().describe('Of an API key'),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof Me>;
