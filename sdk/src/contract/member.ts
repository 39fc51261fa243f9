import { z } from 'zod';
import { ApiScope } from './api-key.ts';
import { Id, Name, Slug, Timestamp } from './ids.ts';
import { PageQuery } from './page.ts';
import { ROLES } from './roles.ts';
import { Search } from './search.ts';

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

/** PATCH /me. `preferences` merge at the top level; null removes a key. */
export const MePatch = z
  .strictObject({
    full_name: Name.nullable().optional(),
    preferences: z.record(z.string().max(64), z.unknown()).optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'send at least one field')
  .meta({ id: 'MePatch' });
export type MePatch = z.infer<typeof MePatch>;

/** GET /orgs/:id/members. `id` is the membership: changing or ending it changes or ends the access. */
export const Member = z
  .object({
    id: Id,
    user_id: Id,
    email: z.string().nullable(),
    full_name: z.string().nullable(),
    role: Role,
    location_id: Id.nullable(),
    location_name: z.string().nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;

export const MemberQuery = PageQuery.extend({ role: Role.optional(), q: Search.optional() });
export type MemberQuery = z.infer<typeof MemberQuery>;

/** Roles inside an organisation that one may be changed into another. */
export const MemberPatch = z
  .strictObject({ role: z.enum(['org_admin', 'operator', 'viewer']) })
  .meta({ id: 'MemberPatch' });
export type MemberPatch = z.infer<typeof MemberPatch>;
