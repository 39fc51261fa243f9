import { z } from 'zod';
import { Id, Name, Slug, Timestamp } from './ids.ts';
import { Plan } from './org.ts';
import { PageQuery } from './page.ts';
import { Search } from './search.ts';

export const Partner = z
  .object({
    id: Id,
    name: z.string(),
    slug: Slug,
    contact_email: z.string().nullable(),
    plan: Plan,
    created_at: Timestamp,
  })
  .meta({ id: 'Partner' });
export type Partner = z.infer<typeof Partner>;

export const PartnerCreate = z
  .strictObject({
    name: Name,
    slug: Slug,
    contact_email: z.email().nullable().optional(),
    plan: Plan.default('starter'),
  })
  .meta({ id: 'PartnerCreate' });
export type PartnerCreate = z.output<typeof PartnerCreate>;

export const PartnerPatch = z
  .strictObject({
    name: Name.optional(),
    contact_email: z.email().nullable().optional(),
    plan: Plan.optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'send at least one field')
  .meta({ id: 'PartnerPatch' });
export type PartnerPatch = z.infer<typeof PartnerPatch>;

export const PartnerListQuery = PageQuery.extend({ q: Search.optional() });
export type PartnerListQuery = z.infer<typeof PartnerListQuery>;

/** `active_devices` = seen in the last 24 hours. */
export const PartnerStats = z
  .object({ orgs: z.int(), total_devices: z.int(), online_devices: z.int(), active_devices: z.int() })
  .meta({ id: 'PartnerStats' });
export type PartnerStats = z.infer<typeof PartnerStats>;

export const PartnerOrg = z
  .object({
    id: Id,
    name: z.string(),
    slug: Slug,
    plan: Plan,
    devices: z.int(),
    online: z.int(),
    anomalies_open: z.int(),
    last_activity_at: Timestamp.nullable(),
  })
  .meta({ id: 'PartnerOrg' });
export type PartnerOrg = z.infer<typeof PartnerOrg>;
