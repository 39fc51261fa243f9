import { z } from 'zod';
import { Id, Name, ProductTypeKey, Slug, Timestamp, TimeZone } from './ids.ts';
import { PageQuery } from './page.ts';
import { Search } from './search.ts';

export const Plan = z.enum(['starter', 'pro', 'business', 'enterprise']);
export type Plan = z.infer<typeof Plan>;

/** Requests per minute of one API key or user; enterprise is agreed one by one. */
export const PLAN_REQUESTS_PER_MINUTE: Record<Plan, number> = {
  starter: 100,
  pro: 1000,
  business: 10_000,
  enterprise: 100_000,
};
/** Device routes have their own. */
export const DEVICE_REQUESTS_PER_MINUTE = 60;

export const Org = z
  .object({
    id: Id,
    name: z.string(),
    slug: Slug,
    plan: Plan,
    product: ProductTypeKey.nullable().describe('Default product type'),
    timezone: z.string(),
    partner_id: Id.nullable(),
    brand: z.record(z.string(), z.unknown()),
    devices: z.int().optional(),
    online: z.int().optional(),
    created_at: Timestamp,
  })
  .meta({ id: 'Org' });
export type Org = z.infer<typeof Org>;

export const OrgCreate = z
  .strictObject({
    name: Name,
    slug: Slug.optional().describe('Made from the name when absent'),
    plan: Plan.default('starter'),
    product: ProductTypeKey.nullable().optional(),
    timezone: TimeZone.default('UTC'),
    partner_id: Id.nullable().optional().describe("A partner's own id is implied"),
  })
  .meta({ id: 'OrgCreate' });
export type OrgCreate = z.output<typeof OrgCreate>;
export type OrgCreateInput = z.input<typeof OrgCreate>;

export const OrgPatch = z
  .strictObject({
    name: Name.optional(),
    plan: Plan.optional().describe('Admin and the partner of the org only'),
    product: ProductTypeKey.nullable().optional(),
    timezone: TimeZone.optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'send at least one field')
  .meta({ id: 'OrgPatch' });
export type OrgPatch = z.infer<typeof OrgPatch>;

export const OrgListQuery = PageQuery.extend({ q: Search.optional() });
export type OrgListQuery = z.infer<typeof OrgListQuery>;
