import { z } from 'zod';
import { ApiScope } from './api-key.ts';
import { Id, Slug } from './ids.ts';
import { Plan } from './org.ts';

export const Role = z.enum(['admin', 'partner', 'org_admin', 'operator', 'viewer', 'customer', 'tenant']);
export type Role = z.infer<typeof Role>;

/** Where a role is at home in the web app. */
export const ROLE_HOME: Record<Role, string> = {
  admin: '/',
  partner: '/partner',
  org_admin: '/org',
  operator: '/org',
  viewer: '/org',
  customer: '/portal',
  tenant: '/portal/room',
};

export const Membership = z
  .object({
    id: Id,
    role: Role,
    partner: z.object({ id: Id, name: z.string(), slug: Slug }).nullable(),
    org: z
      .object({ id: Id, name: z.string(), slug: Slug, plan: Plan, brand: z.record(z.string(), z.unknown()) })
      .nullable(),
    location: z.object({ id: Id, name: z.string() }).nullable(),
  })
  .meta({ id: 'Membership' });
export type Membership = z.infer<typeof Membership>;

/** GET /me: who the credential is. `home` follows the widest role. */
export const Me = z
  .object({
    kind: z.enum(['user', 'api_key', 'provisioning_key', 'device']),
    id: Id,
    email: z.string().nullable(),
    full_name: z.string().nullable(),
    preferences: z.record(z.string(), z.unknown()),
    role: Role.nullable(),
    home: z.string().nullable(),
    memberships: z.array(Membership),
    org_id: Id.nullable().describe('Of an API key, a provisioning key or a device'),
    scopes: z.array(ApiScope).nullable(),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof Me>;
